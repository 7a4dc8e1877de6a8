"""`arm_node`: an arm on ROS topics, and the world that it is when a stage and cameras belong to it."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from hardware.bench.arm_side import ArmSide
from hardware.bench.calibrated import calibrated
from robot_bridge import topics
from robot_bridge.arm_services import ArmServices
from robot_bridge.arm_state import ArmStateTopics, judge, values
from robot_bridge.armed_world import ArmedWorld
from robot_bridge.devices import SLEEP, ArmAsked, connect, open_arm
from robot_bridge.graph_clock import BenchClock
from robot_bridge.handshake import Handshake
from robot_bridge.lifetime import LOOK, Diagnostics, Parameters, Signals, Stopped, run_node
from robot_bridge.picture_notes import PictureNotes
from robot_bridge.stages import SeenStage, open_stage
from robot_bridge.worker import Worker
from robot_bridge.world_topics import WorldTopics
from touchstone.calibration import for_camera
from touchstone.clock import Clock
from touchstone.errors import TouchstoneError, UsageError, WorldFailure
from touchstone.geometry import Pose
from touchstone.robots.base import arm as find_arm


class ArmNode(Node):
    """Publishes the arm's state from `connect` on; offers a world once every camera has given a picture."""

    def __init__(self) -> None:
        super().__init__("arm_node")
        declare = Parameters(self)
        robot = declare.text("robot", "wx250s", "the arm")
        asked = ArmAsked(
            robot,
            driver=declare.text("driver", "vendor", "vendor, or interbotix for a WidowX behind a running xs_sdk"),
            name=declare.text("name", "wx250s", "robot_name of that xs_sdk"),
            port=declare.text("port", "", "serial port of a WidowX's U2D2"),
            host=declare.text("host", "", "address of a Realman's controller"),
            udp_port=declare.integer("udp_port", 8089, 1, 65535, "of this computer, for a Realman's state"),
            read_only=declare.flag("read_only", False, "never write anything to the arm"),
            dry_run=declare.flag("dry_run", False, "run everything, and send the arm nothing"),
            speed=declare.number("speed", 1.0, 0.01, 1.0, "part of the joints' speed; 0.1 for a new arm"),
        )
        self._read_only = asked.read_only
        self._camera = declare.text("camera", "grinningface", "camera preset, or the path of a calibration.yaml")
        self._stage_word = declare.text("stage", "", "who puts the objects on the table; empty: no episodes are run")
        plant = declare.text("plant", "atoms", "what is moved: atoms, twin or shadow")
        self._world_clock = Clock(declare.number("time_scale", 1.0, 0.01, 1.0, "seconds of the world in a real second"))
        rate_hz = declare.number("rate_hz", 50.0, 1.0, 200.0, "of the state topics, in the world's time")
        diagnostics_hz = declare.number("diagnostics_hz", 1.0, 0.1, 50.0, "of the diagnostics, in real time")
        self._operator = declare.text("operator", "", "who re-arms the arm")
        rearm = declare.flag("rearm", False, "re-arm a simulated arm at each episode's start, by the operator's word")
        self._armed_by = self._operator if rearm else None
        self._connect_s = declare.number("connect_s", 0.0, 0.0, 600.0, "longest wait for the arm to be there [s]")
        self._camera_s = declare.number("camera_s", 60.0, 0.0, 600.0, "longest wait for the first picture [s]")
        stale_s = declare.number("stale_s", 0.5, 0.01, 60.0, "age at which a picture is marked as stale [s]")
        gone_s = declare.number("gone_s", 2.0, 0.01, 60.0, "age at which a camera counts as gone [s]")
        self._chunk_wait = declare.number(
            "chunk_wait_s", 10.0, 0.1, 600.0, "longest wait for a chunk that an advance names [s]"
        )
        self._calibration = for_camera(self._camera, robot)
        self._words = (plant, "wire")
        self._arm = find_arm(robot)
        if plant == "atoms" and self._world_clock.scale != 1:
            raise UsageError("arm_node was given a time scale and no simulated plant; leave time_scale out.")
        if plant == "atoms" and rearm:
            raise UsageError("A real arm is re-armed by a person who looks at it; leave rearm out.")
        table = Pose.from_list(self._calibration.base_from_table)
        self._driver = open_arm(asked, table, self._world_clock)
        self._pictures = self._world = self._arm_side = self._handshake = None
        if self._stage_word and not self._read_only:
            self._pictures = PictureNotes(self, self._calibration.cameras, self._world_clock, stale_s, gone_s)
        graph = BenchClock(self._world_clock)
        self._out = WorldTopics(self, self._arm, graph, pictures=self._pictures, simulated=self._world_clock.scale != 1)
        self._diagnostics = Diagnostics(self, self._values, diagnostics_hz)
        own = calibrated(self._arm, self._calibration)
        self._state = ArmStateTopics(self, self._driver, own, graph, self._out, self._diagnostics, rate_hz)
        self._worker = Worker("world")

    def connect(self) -> None:
        """Meets the arm, without torque. Raises UsageError or WorldFailure."""
        connect(self._driver, self._connect_s)
        self._state.start()
        if self._read_only:
            return
        self._arm_side = ArmSide(self._driver, self._arm, self._world_clock, self._calibration)
        poses = {"home": self._arm.home, "sleep": SLEEP.get(self._arm.name, self._arm.home)}
        self._arm_services = ArmServices(
            self, self._driver, self._worker, poses, self._go, self._refuse, self._operator
        )

    def open_world(self, signals: Signals, executor: SingleThreadedExecutor) -> None:
        """Waits for the cameras, then offers the world. Raises WorldFailure when no picture comes."""
        if self._pictures is None:
            return
        stage = signals.interrupting(open_stage, self._stage_word)
        end = time.monotonic() + self._camera_s
        while missing := self._pictures.missing():
            self.check(signals)
            if time.monotonic() > end:
                raise WorldFailure(
                    f"Camera '{missing[0]}' gave no picture within {self._camera_s:g} s; check camera_node's log."
                )
            executor.spin_once(timeout_sec=LOOK)
        seen = SeenStage(stage, self._pictures, self._world_clock)
        # what a simulator knows is known; on a real bench nobody does
        privileged = self._words[0] != "atoms"
        self._world = ArmedWorld(
            self._driver,
            self._armed_by,
            self._arm_side,
            None,
            seen,
            self._camera,
            self._words,
            self._world_clock,
            privileged,
        )
        sizes = {name: (camera.width, camera.height) for name, camera in self._calibration.cameras.items()}
        offer = self._world.describe().model_copy(update={"cameras": sizes})
        self._handshake = Handshake(
            self,
            self._world,
            self._out,
            self._arm,
            self._diagnostics,
            "bench",
            self._chunk_wait,
            self._worker.do,
            lambda _: self._hold(),
        )
        self._out.offer(offer)

    def check(self, signals: Signals) -> None:
        """Raises what ends the node: a signal, a bug in the worker, an arm that is gone."""
        signals.check()
        self._worker.check()
        if self._state.failure is not None:
            raise self._state.failure

    def destroy_node(self) -> None:
        with suppress(TouchstoneError):
            self._driver.stop("arm_node is ending")
        self._worker.end()
        if self._world is not None:
            self._world.close()
        elif self._arm_side is not None:
            self._arm_side.close()
        self._driver.close()
        super().destroy_node()

    def _go(self, pose: tuple[float, ...]) -> None:
        if self._handshake is not None:
            self._handshake.leave()
        opening = float(np.clip(self._driver.state().gripper.opening, 0.0, 1.0))
        try:
            self._arm_side.to_start(np.array(pose), opening)
        finally:
            self._hold()

    def _hold(self) -> None:
        with suppress(TouchstoneError):
            self._arm_side.end()

    def _refuse(self, what: str) -> None:
        if self.count_publishers(topics.ADVANCE):
            raise UsageError(f"A session moves the arm; end it before you send the arm to its {what} pose.")

    def _values(self) -> dict:
        if self._state.failure is not None or not self._state.started:
            return {}
        try:
            state = self._driver.state()
        except WorldFailure:
            return {}
        judge(state, self._diagnostics)
        told = {"time_scale": self._world_clock.scale, **values(state)}
        if self._world is not None:
            told |= {
                "episode": self._handshake.episode,
                "ticks": self._handshake.ticks,
                "missed_ticks": self._world.missed,
                "missed_setpoints": self._arm_side.missed,
                "stale_pictures": self._pictures.stale,
            }
        return told


def _serve(node: ArmNode, signals: Signals, executor: SingleThreadedExecutor) -> None:
    signals.interrupting(node.connect)
    with suppress(Stopped):
        node.open_world(signals, executor)
        while True:
            node.check(signals)
            executor.spin_once(timeout_sec=LOOK)


def main() -> None:
    sys.exit(run_node(lambda _signals: ArmNode(), _serve))


if __name__ == "__main__":
    main()
