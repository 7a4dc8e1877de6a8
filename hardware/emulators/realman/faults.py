"""What can go wrong between an arm and its driver, on request."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from hardware.emulators.kinematic import GRIPPER
from hardware.emulators.operations import Operations
from hardware.emulators.realman.controller import Controller
from hardware.emulators.realman.plant import POSES, KinematicPlant

KEPT_COMMANDS = 200_000


class Faults(Operations):
    """Counts down the answers that are to be spoilt, and carries out requests.

    Operations:
    drop, corrupt (count): the next TCP answers are lost or damaged. delay (count, seconds): they come late.
    silence (commands): these commands are not answered; [] = all are. udp_silence (on): no state is pushed.
    hang (on): connections stay open, and nothing is heard, answered or pushed any more.
    disconnect, reconnect: every connection breaks and no new one is taken; the network is back.
    joint_error (joint, code), controller_error (code): latched until cleared. temperature (joint, celsius).
    enable (joint, on): a joint's drive. plan_failure (count): the next planned moves fail. gripper (online, errors).
    block (joints): something holds them, `gripper` too. push (newtons): the TCP presses down.
    coast (on): the arm goes on with its last speed when setpoints cease.
    push_config (cycle, enable, ip, port): of the state.
    reset (pose, generation, product): another controller with another arm, in its `ready` or `home` pose.
    clear: ends all of these. state, goals (since_s), commands (since_s): what is, and what was asked.
    """

    def __init__(self, controller: Controller, plug: Callable[[bool], None]) -> None:
        self.controller, self._plug = controller, plug
        self.dropped = self.corrupted = self.late = 0
        self.delay_s = 0.0
        self.silent: set[str] = set()
        self.udp_silent = self.hung = False
        #: (s, number of the connection, the line as it came)
        self.commands: deque[tuple[float, int, str]] = deque(maxlen=KEPT_COMMANDS)

    def spoil(self, answer: bytes) -> tuple[bytes | None, float]:
        """What becomes of an answer: its bytes, None if it is lost, and by how many seconds it is late."""
        late = 0.0
        if self.late:
            self.late -= 1
            late = self.delay_s
        if self.dropped:
            self.dropped -= 1
            return None, late
        if self.corrupted:
            self.corrupted -= 1
            return answer.replace(b'":', b'"?', 1), late
        return answer, late

    def _do_drop(self, count: int) -> None:
        self.dropped = int(count)

    def _do_corrupt(self, count: int) -> None:
        self.corrupted = int(count)

    def _do_delay(self, count: int, seconds: float) -> None:
        self.late, self.delay_s = int(count), float(seconds)

    def _do_silence(self, commands: list[str]) -> None:
        self.silent = set(commands)

    def _do_udp_silence(self, on: bool) -> None:
        self.udp_silent = bool(on)

    def _do_hang(self, on: bool) -> None:
        self.hung = bool(on)

    def _do_disconnect(self) -> None:
        self._plug(False)

    def _do_reconnect(self) -> None:
        self._plug(True)

    def _do_joint_error(self, joint: int, code: int) -> None:
        self.controller.fail_joint(_index(joint), int(code))

    def _do_controller_error(self, code: int) -> None:
        self.controller.fail(int(code))

    def _do_temperature(self, joint: int, celsius: float) -> None:
        self.controller.temperatures[_index(joint)] = float(celsius)

    def _do_enable(self, joint: int, on: bool) -> None:
        self.controller.enabled[_index(joint)] = bool(on)

    def _do_plan_failure(self, count: int) -> None:
        self.controller.failing_plans = int(count)

    def _do_push_config(self, **changes) -> None:
        unknown = set(changes) - set(self.controller.push_config)
        if unknown:
            raise KeyError(f"the push has no {', '.join(sorted(unknown))}")
        self.controller.push_config |= changes

    def _do_gripper(self, online: bool = True, errors: int = 0) -> None:
        self.controller.gripper.online, self.controller.gripper.errors = bool(online), int(errors)

    def _do_block(self, joints: list[str]) -> None:
        self._kinematic()
        unknown = set(joints) - set(self.controller.plant.positions)
        if unknown:
            raise KeyError(f"there is no joint {', '.join(sorted(unknown))}")
        self.controller.plant.blocked = set(joints)

    def _do_push(self, newtons: float) -> None:
        self._kinematic()
        self.controller.plant.push = float(newtons)

    def _do_coast(self, on: bool) -> None:
        self.controller.coast = bool(on)

    def _do_clear(self) -> None:
        self.dropped = self.corrupted = self.late = 0
        self.silent, self.udp_silent, self.hung = set(), False, False
        self.controller.clear()
        self._plug(True)

    def _do_reset(self, pose: str = "ready", generation: int | None = None, product: str | None = None) -> None:
        self._kinematic()
        if generation not in (None, 3, 4):
            raise ValueError(f"there is no generation {generation}")
        plant = KinematicPlant(POSES[pose])
        self._do_clear()
        self.commands.clear()
        self.controller.reset(plant, generation or self.controller.generation, product)

    def _kinematic(self) -> None:
        if not isinstance(self.controller.plant, KinematicPlant):
            raise ValueError("the arm is moved by a simulator, in which this has no meaning")

    def _do_state(self) -> dict[str, Any]:
        controller, plant = self.controller, self.controller.plant
        return {
            "positions": plant.positions,
            "velocities": plant.velocities,
            "opening": controller.gripper.state(plant.positions[GRIPPER], plant.efforts[GRIPPER])["actpos"],
            "grip_force": controller.gripper.force,
            "status": controller.status,
            "enabled": controller.enabled,
            "errors": controller.errors,
            "joint_errors": controller.joint_errors,
            "refused": controller.refused,
            "push_config": controller.push_config,
            "now_s": controller.now,
            "longest_gap_s": controller.longest_gap,
        }

    def _do_goals(self, since_s: float = 0.0) -> dict[str, Any]:
        return {"goals": [goal for goal in self.controller.goals if goal[0] >= since_s]}

    def _do_commands(self, since_s: float = 0.0) -> dict[str, Any]:
        return {"commands": [each for each in self.commands if each[0] >= since_s]}


def _index(joint: int) -> int:
    if not 1 <= int(joint) <= 7:
        raise ValueError(f"there is no joint {joint}")
    return int(joint) - 1
