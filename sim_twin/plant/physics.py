"""Keeps the bench's physics at the clock, and says what is asked of it."""

from __future__ import annotations

from typing import Any

from sim_twin.finger_forces import finger_forces
from sim_twin.plant.bench import STEP_NS, Bench, Plant
from sim_twin.plant.motion import Motors
from touchstone.clock import Clock
from touchstone.errors import TouchstoneError
from touchstone.facts import Fact
from touchstone.plant import Motion, References
from touchstone.robots.base import Arm
from touchstone.spec import Spec

#: physics that is this far behind the clock was not let run; it catches up, and that is counted
LAG_NS = 50_000_000
NO_FAULTS = {"frozen": False, "black": False, "unplugged": False, "delay_s": 0.0, "drop": 0}


class Physics:
    """One bench on one clock. Operations, `{"op": NAME, ...}`:

    describe: robot, world, its plant word, time scale. reset (spec): objects anew, the arm stays where it is.
    facts: poses and finger forces, as in `Facts`. look: what an eye needs to mirror it. layout: what lies on the table.
    camera (faults of `FrameWriter.fault`): what the camera suffers from now on; without any, nothing.
    state: stamp, steps and how far behind the clock it ever was. sealed: what only a shadow knows, or null.
    """

    def __init__(self, arm: Arm, plant: Plant, clock: Clock) -> None:
        self._arm, self._plant, self._clock = arm, plant, clock
        self._bench = Bench(arm, plant.shifts)
        self._motors = Motors(arm, self._bench, plant.shifts)
        self._generation = 0
        self._camera_faults, self._fault_number = NO_FAULTS, 0
        self._steps = self._stalls = self._longest_ns = 0
        self.now_ns = clock.now_ns()

    @property
    def due_ns(self) -> int:
        """When the next step is due."""
        return self.now_ns + STEP_NS

    def catch_up(self) -> str | None:
        """Steps until the clock's time; a sentence if it was far behind."""
        lag = self._clock.now_ns() - self.now_ns
        while self._clock.now_ns() >= self.due_ns:
            self.now_ns += STEP_NS
            self._motors.step(self.now_ns)
            self._steps += 1
        self._longest_ns = max(self._longest_ns, lag)
        if lag <= LAG_NS:
            return None
        self._stalls += 1
        return f"The physics was {lag / 1e6:.0f} ms behind its clock and caught up; the machine is too busy."

    def exchange(self, references: References) -> Motion:
        """What the motors want for where the joints are."""
        self._motors.take(references)
        return self._motors.motion(self.now_ns)

    def carry_out(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request; `{"error": sentence}` for one that cannot be carried out."""
        operation = getattr(self, f"_do_{request.get('op')}", None)
        if operation is None:
            return {"error": f"A plant has no operation '{request.get('op')}'."}
        try:
            return operation(**{key: value for key, value in request.items() if key != "op"})
        except TouchstoneError as error:
            return {"error": str(error)}
        except (TypeError, ValueError, KeyError) as error:
            return {"error": f"'{request['op']}' cannot be carried out: {error}."}

    def close(self) -> None:
        self._bench.close()

    def _do_describe(self) -> dict[str, Any]:
        return {
            "robot": self._arm.name,
            "world": self._plant.name,
            "plant": self._plant.word,
            "time_scale": self._clock.scale,
        }

    def _do_sealed(self) -> dict[str, Any]:
        return {"sealed": self._plant.sealed}

    def _do_reset(self, spec: dict[str, Any]) -> dict[str, Any]:
        layout = Spec.model_validate(spec).layout
        drives = self._bench.drives
        self._bench.build(layout, drives.positions(), drives.opening())
        self._generation += 1
        # nothing moved while the scene was built, and nothing was to
        self.now_ns = self._clock.now_ns()
        return {"generation": self._generation}

    def _do_facts(self) -> dict[str, Any]:
        tcp = self._arm.kinematics.forward(self._bench.drives.positions())
        props = self._bench.props
        objects, forces = {}, {}
        for placement in self._bench.layout:
            prop = props[placement.name]
            objects[placement.name] = Fact(value=prop.pose(), frame="base", source="sim").model_dump()
            if placement.kind != "card":
                felt = finger_forces(self._bench.scene, self._bench.drives.fingers, prop, tcp)
                forces[placement.name] = Fact(value=felt, frame="tcp", source="sim").model_dump()
        return {"stamp_ns": self.now_ns, "objects": objects, "finger_forces": forces}

    def _do_look(self) -> dict[str, Any]:
        return {
            "stamp_ns": self.now_ns,
            "generation": self._generation,
            "posture": self._bench.posture(),
            "faults": self._camera_faults,
            "fault_number": self._fault_number,
        }

    def _do_layout(self) -> dict[str, Any]:
        return {
            "generation": self._generation,
            "layout": [placement.model_dump(mode="json") for placement in self._bench.layout],
        }

    def _do_camera(self, **faults) -> dict[str, Any]:
        unknown = set(faults) - set(NO_FAULTS)
        if unknown:
            raise ValueError(f"a camera does not suffer {', '.join(sorted(unknown))}")
        self._camera_faults = NO_FAULTS | faults
        self._fault_number += 1
        return {}

    def _do_state(self) -> dict[str, Any]:
        return {
            "stamp_ns": self.now_ns,
            "steps": self._steps,
            "stalls": self._stalls,
            "longest_lag_s": self._longest_ns / 1e9,
        }
