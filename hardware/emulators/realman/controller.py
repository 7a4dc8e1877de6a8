"""The controller: commands in, answers out, and references for the plant. One clock [s]."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np

from hardware.emulators.kinematic import GRIPPER, Plant
from hardware.emulators.realman.gripper import Gripper
from hardware.emulators.realman.identity import POSITION, PRODUCT, constants, software_info, waypoint
from hardware.emulators.realman.moves import Move, move_problem
from hardware.emulators.realman.plant import KinematicPlant
from touchstone.robots.rm75 import ARM

STEP = 0.002  # [s], of the plant
KEPT = 200_000
AMBIENT = 30.0  # [deg C]
FRAME_DEGREES = 10.0  # largest step between two setpoints (RealMan's documentation)
UDP_PORT = 8089  # of the push, until a client says else
COASTS_AFTER = 0.03  # [s] without a setpoint
#: of RealMan's error codes (hardware/realman/codes.py): beyond a limit, too fast
ERROR_LIMIT, ERROR_JUMP = 0x1002, 0x1007
MILLIAMPERES = 100.0  # a N m of effort; made up, so that a load is seen in the currents

IDLE, MOVING, THROUGH, STOPPED = "idle", "move_J", "move_through_joint", "stop"


class Controller:
    """An RM75 of one generation, 3 or 4.

    goals: (s, joints [rad]) of every setpoint that reached the motors. refused: setpoints that did not. coast: goes on
    with its last speed when setpoints cease, the worst that a controller could do; without it the last one is held.
    enabled, joint_errors, temperatures: of the joints. errors: of the arm.
    """

    def __init__(self, generation: int, plant: Plant | None = None, udp_port: int = UDP_PORT) -> None:
        self.now = 0.0
        self._udp_port = udp_port
        self.reset(plant or KinematicPlant(), generation)

    def reset(self, plant: Plant, generation: int, product: str | None = None) -> None:
        """Another controller with another arm."""
        self.push_config = {
            "cycle": 1,
            "enable": True,
            "port": self._udp_port,
            "force_coordinate": 0,
            "ip": "127.0.0.1",
        }
        self.generation, self.product, self.plant = generation, product or PRODUCT, plant
        self.goals: deque[tuple[float, list[float]]] = deque(maxlen=KEPT)
        self.refused = 0
        self.longest_gap = 0.0
        self.status = IDLE
        self.gripper = Gripper(plant.positions[GRIPPER])
        self._reference = self.joints
        self._speed = np.zeros(7)
        self._setpoint_at = -math.inf
        self._move: Move | None = None
        self._announcements: list[dict[str, Any]] = []
        self.clear()

    def clear(self) -> None:
        """Ends every fault."""
        self.enabled = [True] * 7
        self.errors: list[int] = []
        self.joint_errors = [0] * 7
        self.temperatures = [AMBIENT] * 7
        self.coast = False
        self.failing_plans = 0
        self.gripper.online, self.gripper.errors = True, 0
        if isinstance(self.plant, KinematicPlant):
            self.plant.blocked, self.plant.push = set(), 0.0

    @property
    def joints(self) -> np.ndarray:
        """Where the joints are, float64[7] [rad]."""
        return np.array([self.plant.positions[name] for name in ARM.joint_names])

    @property
    def healthy(self) -> bool:
        return not self.errors and not any(self.joint_errors)

    # time

    def advance(self, now: float) -> None:
        """Lets controller and plant come to `now` [s]."""
        self.longest_gap = max(self.longest_gap, now - self.now)
        while self.now < now:
            dt = min(STEP, now - self.now)
            self.now += dt
            self._refer(dt)
            self.plant.step(dt, self._references())
        self.plant.update_efforts(self._references())
        arrival = self.gripper.arrival(self.plant.positions[GRIPPER], self.plant.efforts[GRIPPER])
        if arrival:
            self._announcements.append(arrival)

    def announcements(self) -> list[dict[str, Any]]:
        """What it has to say to every client by itself; each is given once."""
        said, self._announcements = self._announcements, []
        return said

    def _refer(self, dt: float) -> None:
        if self._move is not None:
            self._reference = self._move.at(self.now)
            if self.now >= self._move.end:
                self._move, self.status = None, IDLE
                self._announce(True)
        elif self.coast and self.status == THROUGH and self.now - self._setpoint_at > COASTS_AFTER:
            limits = np.radians(POSITION)
            self._reference = np.clip(self._reference + self._speed * dt, -limits, limits)

    def _references(self) -> dict[str, float | None]:
        held = zip(ARM.joint_names, self._reference, self.enabled, strict=True)
        wanted: dict[str, float | None] = {name: float(r) if on else None for name, r, on in held}
        return wanted | {GRIPPER: self.gripper.goal if self.gripper.online else None}

    def _announce(self, done: bool) -> None:
        self._announcements.append(
            {"state": "current_trajectory_state", "trajectory_state": done, "device": 0, "trajectory_connect": 0}
        )

    # errors

    def fail(self, code: int) -> None:
        """The arm stops with an error, latched until it is cleared."""
        self.errors = sorted({*self.errors, code})
        self.stop()

    def fail_joint(self, joint: int, code: int) -> None:
        """One joint (from 0) reports an error; the arm stops."""
        self.joint_errors[joint] = code
        self.stop()

    def stop(self) -> None:
        """As fast as it can, and holds."""
        self._move, self._reference, self._speed = None, self.joints, np.zeros(7)
        self.status = STOPPED

    # the wire

    def handle(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """Carries out one command now; what it answers."""
        command = message.get("command")
        handler = getattr(self, f"_do_{command}", None)
        if handler is not None:
            answer = handler(message)
        elif isinstance(command, str) and command.startswith("set_gripper_"):
            answer = self.gripper.command(message)
        else:
            answer = constants(str(command))
        return [answer] if answer else []

    def push(self) -> dict[str, Any]:
        """The state that goes out by UDP."""
        plant = self.plant
        joints = self.joints
        speeds = [plant.velocities[name] for name in ARM.joint_names]
        return {
            "state": "realtime_arm_joint_state",
            "joint_status": {
                "joint_current": [round(1e3 * MILLIAMPERES * plant.efforts[name]) for name in ARM.joint_names],
                "joint_en_flag": [int(on) for on in self.enabled],
                "joint_err_code": self.joint_errors,
                "joint_position": [round(1e3 * math.degrees(p)) for p in joints],
                "joint_temperature": [round(1e3 * t) for t in self.temperatures],
                "joint_voltage": [24_000] * 7,
                "joint_speed": [round(1e2 * math.degrees(v) / 6) for v in speeds],
            },
            "waypoint": waypoint(joints),
            "arm_current_status": self.status,
            "err": self.errors or [0],
        }

    def _do_movej_canfd(self, message: dict[str, Any]) -> None:
        """Without a plan and without an answer."""
        wanted = np.radians(np.array(message["joint"], dtype=np.float64) / 1e3)
        if not self.healthy:
            self.refused += 1
        elif wanted.shape != (7,) or not (np.abs(wanted) <= np.radians(POSITION)).all():
            self.refused += 1
            self.fail(ERROR_LIMIT)
        elif np.abs(wanted - self._reference).max() > math.radians(FRAME_DEGREES):
            self.refused += 1
            self.fail(ERROR_JUMP)
        else:
            gap = self.now - self._setpoint_at
            self._speed = (wanted - self._reference) / gap if 0 < gap < COASTS_AFTER else self._speed
            self._move, self._reference, self._setpoint_at, self.status = None, wanted, self.now, THROUGH
            self.goals.append((self.now, wanted.tolist()))

    def _do_movej(self, message: dict[str, Any]) -> dict[str, Any]:
        problem = move_problem(message) or not self.healthy
        if not problem and self.failing_plans:
            self.failing_plans -= 1
            self._announce(False)
        elif not problem:
            goal = np.radians(np.array(message["joint"], dtype=np.float64) / 1e3)
            self._move, self.status = Move.planned(self._reference, goal, self.now, message["v"] / 100), MOVING
        return {"command": "movej", "receive_state": not problem}

    def _do_set_arm_stop(self, message: dict[str, Any]) -> dict[str, Any]:
        self.stop()
        return {"command": "set_arm_stop", "arm_stop": True}

    def _do_set_arm_slow_stop(self, message: dict[str, Any]) -> dict[str, Any]:
        self.stop()
        return {"command": "set_arm_slow_stop", "arm_slow_stop": True}

    def _do_set_arm_emergency_stop(self, message: dict[str, Any]) -> dict[str, Any] | None:
        if self.generation == 3:
            return None
        self.stop()
        return {"command": "set_arm_emergency_stop", "set_state": True}

    def _do_get_arm_software_info(self, message: dict[str, Any]) -> dict[str, Any]:
        return software_info(self.product, self.generation)

    def _do_get_realtime_push(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"command": "get_realtime_push", **self.push_config, "custom": {}}

    def _do_set_realtime_push(self, message: dict[str, Any]) -> dict[str, Any]:
        self.push_config |= {key: message[key] for key in self.push_config if key in message}
        return {"command": "set_realtime_push", "state": True}

    def _do_get_arm_power_state(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"state": "arm_power_state", "power_state": 1}

    def _do_get_gripper_state(self, message: dict[str, Any]) -> dict[str, Any]:
        return self.gripper.state(self.plant.positions[GRIPPER], self.plant.efforts[GRIPPER])

    def _do_get_joint_degree(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"state": "joint_degree", "joint": self.push()["joint_status"]["joint_position"]}

    def _do_get_current_arm_state(self, message: dict[str, Any]) -> dict[str, Any]:
        state = self.push()
        pose = state["waypoint"]["position"] + state["waypoint"]["euler"]
        joint = state["joint_status"]["joint_position"]
        return {
            "state": "current_arm_state",
            "arm_state": {"joint": joint, "pose": pose, "arm_err": 0, "sys_err": 0, "err": state["err"]},
        }

    def _do_get_joint_en_state(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"state": "joint_en_state", "en_state": [int(on) for on in self.enabled]}

    def _do_set_joint_en_state(self, message: dict[str, Any]) -> dict[str, Any]:
        joint, on = message["joint_en_state"]
        self.enabled[joint - 1] = bool(on) and not self.joint_errors[joint - 1]
        self._reference = self.joints
        return {"command": "set_joint_en_state", "joint_en_state": self.enabled[joint - 1] == bool(on)}

    def _do_set_joint_clear_err(self, message: dict[str, Any]) -> dict[str, Any]:
        self.joint_errors[message["joint_clear_err"] - 1] = 0
        return {"command": "set_joint_clear_err", "joint_clear_err": True}

    def _do_clear_system_err(self, message: dict[str, Any]) -> dict[str, Any]:
        self.errors = []
        return {"command": "clear_system_err", "clear_state": True}
