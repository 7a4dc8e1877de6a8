"""A bench as a World, in real time: it waits where a twin computes, and moves on whether or not a command came."""

from __future__ import annotations

import itertools
import math
from importlib.metadata import version

from hardware.bench.arm_side import ArmReading, ArmSide
from hardware.bench.stage import Stage
from hardware.camera import Camera, check_sight
from touchstone.clock import REAL_TIME, Clock
from touchstone.control.embodiment import ACTION_KINDS
from touchstone.control.executor import SLACK_NS
from touchstone.errors import UsageError, WorldFailure
from touchstone.facts import Event, Fact, Facts
from touchstone.policy import Chunk
from touchstone.safety.states import State
from touchstone.spec import Spec
from touchstone.world import CameraFrame, Observation, Privileged, WorldOffer

CLOCK = "monotonic"
LOOK_S = 0.05  # between two looks at the arm while time passes
FIRST_PICTURE_S = 10.0
OLD_PICTURE_NS = 500_000_000  # a picture that was captured longer ago is no news


class BenchWorld:
    """One arm, its camera (None: pictures come another way) and its stage, on `clock`.

    camera_name: preset or calibration that a spec must name. words: plant and path, DESIGN's two. privileged: put the
    facts into observations. Ticks lie on a grid from the episode's begin; who comes late waits for the next one, and
    the ticks that passed are counted in `missed` and told as an event. Called by one thread.
    """

    def __init__(
        self,
        arm_side: ArmSide,
        camera: Camera | None,
        stage: Stage,
        camera_name: str,
        words: tuple[str, str],
        clock: Clock = REAL_TIME,
        privileged: bool = False,
    ) -> None:
        self._arm, self._camera, self._stage, self._clock = arm_side, camera, stage, clock
        self._camera_name, self._words, self._privileged = camera_name, words, privileged
        self._ids = itertools.count(1)
        self._spec: Spec | None = None
        self._now_ns = self._step = 0
        self._events: list[Event] = []
        #: ticks of all episodes that passed while nobody asked
        self.missed = 0
        self._forget()

    def describe(self) -> WorldOffer:
        model = None if self._camera is None else self._camera.model
        arm = self._arm.arm
        return WorldOffer(
            robot=arm.name,
            plant=self._words[0],
            path=self._words[1],
            cameras={} if model is None else {"scene": (model.width, model.height)},
            joint_names=arm.joint_names,
            action_kinds=ACTION_KINDS,
            privileged=self._privileged,
            versions={name: version(name) for name in ("numpy", "pin", "ruckig")},
            time_scale=self._clock.scale,
        )

    def reset(self, spec: Spec) -> None:
        """Arm to the start, objects to their places, hands out; then the episode's first tick is now."""
        if spec.robot != self._arm.arm.name or spec.camera != self._camera_name:
            raise UsageError(
                f"Episode {spec.episode} wants {spec.robot} seen by {spec.camera}, this bench is {self._arm.arm.name} "
                f"seen by {self._camera_name}; start a bench for it."
            )
        self._spec = None
        self._arm.to_start(spec.start, 1.0)
        self._arm.end()
        self._arm.inhibit(True)
        try:
            self._stage.prepare(spec)
        finally:
            self._arm.inhibit(False)
        if self._camera is not None:
            self._camera.next(self._clock.now_ns(), FIRST_PICTURE_S)
        self._arm.begin(spec)
        # what the gate did on the way here is not the episode's
        self._arm.drain_events()
        self._now_ns, self._step, self._spec = self._clock.now_ns(), 0, spec
        self._events = [self._rehearsal()] if self._arm.dry_run else []
        self._forget()

    def observe(self) -> Observation:
        spec = self._need_spec()
        if self._observation is None:
            self._observation = self._look(spec)
        return self._observation

    def command(self, chunk: Chunk | None) -> None:
        self._need_spec()
        self._arm.command(chunk, self._clock.now_ns(), self._step)

    def advance(self, until_ns: int) -> None:
        spec = self._need_spec()
        late_ns = self._clock.now_ns() - until_ns
        if late_ns > SLACK_NS:
            passed = math.ceil(late_ns / spec.dt_ns)
            self.missed += passed
            until_ns += passed * spec.dt_ns
            self._events.append(self._missed_tick(passed, late_ns))
        while (left := until_ns - self._clock.now_ns()) > 0:
            self._arm.beat()
            self._clock.sleep(min(LOOK_S, left / 1e9))
        self._step += round((until_ns - self._now_ns) / spec.dt_ns)
        self._now_ns = until_ns
        self._forget()

    def facts(self) -> Facts:
        self._need_spec()
        if self._facts is None:
            self._facts = self._gather(self._read())
        return self._facts

    def events(self) -> list[Event]:
        events, self._events = self._events, []
        return events + self._arm.drain_events()

    def close(self) -> None:
        """Leaves the arm holding. Driver and camera belong to whoever made them; the stage is closed."""
        self._spec = None
        self._stage.close()
        self._arm.close()

    def _need_spec(self) -> Spec:
        if self._spec is None:
            raise WorldFailure("The bench was asked before its first reset; reset it with a spec first.")
        return self._spec

    def _forget(self) -> None:
        self._observation: Observation | None = None
        self._facts: Facts | None = None
        self._reading: ArmReading | None = None

    def _read(self) -> ArmReading:
        """The arm of this tick; the same for observation and facts. A stop ends the episode: nobody is to be scored
        for what came of it."""
        if self._reading is None:
            reading = self._arm.reading()
            if reading.state.gate == State.STOPPED:
                raise WorldFailure(
                    f"The arm was stopped ({reading.state.why}) and the episode with it; look at the arm, re-arm it "
                    "and run the same command again to go on."
                )
            self._reading = reading
        return self._reading

    def _missed_tick(self, passed: int, late_ns: int) -> Event:
        ticks = "1 tick" if passed == 1 else f"{passed} ticks"
        detail = f"The next tick was {late_ns / 1e6:.0f} ms ago when it was asked for; {ticks} passed without one."
        return Event(stamp_ns=self._now_ns, step=self._step, kind="missed_tick", detail=detail)

    def _rehearsal(self) -> Event:
        detail = "This is a dry run: no set-point leaves and the arm stands still."
        return Event(stamp_ns=self._now_ns, step=0, kind="dry_run", detail=detail)

    def _gather(self, reading: ArmReading) -> Facts:
        def measured(value, frame=None) -> Fact:
            return Fact(value=value, frame=frame, source="measured")

        return Facts(
            step=self._step,
            stamp_ns=self._now_ns,
            tcp=measured(reading.tcp.to_list(), "base"),
            tcp_commanded=measured(reading.commanded.tcp.to_list(), "base"),
            joints=measured(reading.joints.position.tolist()),
            joint_velocities=measured(reading.joints.velocity.tolist()),
            opening=measured(reading.gripper.opening),
            opening_commanded=measured(reading.commanded.opening),
            objects=self._stage.objects(),
            finger_forces=self._stage.finger_forces(),
        )

    def _look(self, spec: Spec) -> Observation:
        reading = self._read()
        return Observation(
            id=next(self._ids),
            episode=spec.episode,
            step=self._step,
            stamp_ns=self._now_ns,
            clock=CLOCK,
            cameras={} if self._camera is None else {"scene": self._picture()},
            joints=reading.joints,
            ee=reading.tcp,
            ee_commanded=reading.commanded.tcp,
            gripper=reading.gripper,
            instruction=spec.instruction,
            temperatures=reading.temperatures,
            privileged=Privileged(spec, self.facts()) if self._privileged else None,
        )

    def _picture(self) -> CameraFrame:
        check_sight(self._camera)
        frame = self._camera.frame()
        old = self._now_ns - frame.stamp_ns > OLD_PICTURE_NS
        return CameraFrame(
            frame.image, frame.stamp_ns, CLOCK, frame.model, frame.stale or old, frame.depth, frame.depth_scale
        )
