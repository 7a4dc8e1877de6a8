"""`camera_node`: one camera on ROS topics, every picture with the stamp of its capture."""

from __future__ import annotations

import sys

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String

from hardware.camera import Camera, CameraHealth, check_sight
from robot_bridge import topics
from robot_bridge.devices import OWN_CHOICE, CameraAsked, connect, open_camera
from robot_bridge.graph_clock import BenchClock
from robot_bridge.lifetime import LOOK, Diagnostics, Parameters, Signals, Stopped, run_node
from robot_bridge.observations import camera_info_message, header_at, image_message, jpeg_message
from robot_bridge.records import FrameNote, to_string
from robot_bridge.worker import Worker
from touchstone.calibration import for_camera
from touchstone.clock import Clock
from touchstone.errors import UsageError
from touchstone.world import CameraFrame

#: longest that a camera may take for a picture before it counts as gone [s of the clock]
GONE_S = 3.0
#: a camera that gives less than this part of its rate is told of
SLOW = 0.8


class CameraNode(Node):
    """Publishes what the camera gives, as it gives it."""

    def __init__(self) -> None:
        super().__init__("camera_node")
        declare = Parameters(self)
        self._camera_name = declare.text("name", "scene", "of the camera, in topics and calibration")
        robot = declare.text("robot", "wx250s", "the arm in whose base frame the camera stands")
        camera = declare.text("camera", "grinningface", "camera preset, or the path of a calibration.yaml")
        self._asked = CameraAsked(
            declare.text("device", "realsense", "realsense[:SERIAL], uvc:DEVICE, file:PATH or frames:NAME"),
            declare.integer("fps", 30, 1, 90, "pictures in a second of the world's clock"),
            *(
                declare.number(name, OWN_CHOICE, OWN_CHOICE, 1e6, f"{unit}; -1: the camera's own choice")
                for name, unit in (
                    ("exposure", "in the camera's own units"),
                    ("gain", "of a RealSense, in its own units"),
                    ("white_balance", "[K]"),
                    ("focus", "of a USB camera, in its own units"),
                )
            ),
        )
        transport = declare.text("transport", "jpeg", "jpeg, or raw where the shared-memory profile is used")
        self._quality = declare.integer("quality", 90, 1, 100, "of the JPEG pictures")
        self._world_clock = Clock(declare.number("time_scale", 1.0, 0.01, 1.0, "seconds of the world in a real second"))
        self._connect_s = declare.number("connect_s", 0.0, 0.0, 600.0, "longest wait for the camera to be there [s]")
        if transport not in ("jpeg", "raw"):
            raise UsageError(f"camera_node cannot take its parameter `transport`: '{transport}' is not jpeg or raw.")
        self._raw = transport == "raw"
        calibration = for_camera(camera, robot).cameras
        if self._camera_name not in calibration:
            raise UsageError(f"{camera} has no camera called '{self._camera_name}'; it has {', '.join(calibration)}.")
        self._camera: Camera = open_camera(self._asked, calibration[self._camera_name], self._world_clock)
        self._graph = BenchClock(self._world_clock)
        self._topic = topics.image(self._camera_name) if self._raw else topics.compressed_image(self._camera_name)
        self._picture = self.create_publisher(Image if self._raw else CompressedImage, self._topic, topics.PICTURES)
        self._info = self.create_publisher(CameraInfo, topics.camera_info(self._camera_name), topics.PICTURES)
        self._note = self.create_publisher(String, topics.frame(self._camera_name), topics.PICTURES)
        self._published, self._newest_ns = 0, 0
        self._diagnostics = Diagnostics(self, self._values)

    def connect(self) -> None:
        """Raises UsageError when there is no such camera."""
        connect(self._camera, self._connect_s)
        self._diagnostics.ok("running")

    def destroy_node(self) -> None:
        self._camera.close()
        super().destroy_node()

    def work(self) -> None:
        """Publishes the next picture. Raises WorldFailure when the camera is gone."""
        frame = self._camera.next(self._newest_ns, GONE_S)
        check_sight(self._camera)
        self._newest_ns = frame.stamp_ns
        self._publish(frame)

    def _publish(self, frame: CameraFrame) -> None:
        self._published += 1
        stamp = self._graph.at(frame.stamp_ns)
        header = header_at(stamp, topics.optical_frame(self._camera_name))
        self._picture.publish(
            image_message(frame.image, header) if self._raw else jpeg_message(frame.image, self._quality, header)
        )
        self._info.publish(camera_info_message(frame.model, header))
        note = FrameNote(
            number=self._published,
            header_stamp_ns=stamp,
            stamp_ns=frame.stamp_ns,
            clock=frame.clock,
            stale=frame.stale,
            image=self._topic,
            camera_info=topics.camera_info(self._camera_name),
        )
        self._note.publish(to_string(note))

    def _values(self) -> dict:
        if self._published == 0:
            return {"device": self._asked.device}
        health = self._camera.health()
        self._judge(health)
        return {"device": self._asked.device, "topic": self._topic, "published": self._published, **vars(health)}

    def _judge(self, health: CameraHealth) -> None:
        if health.frozen:
            self._diagnostics.error(f"the last {health.frozen} pictures repeat the one before")
        elif health.black:
            self._diagnostics.error(f"the last {health.black} pictures show nothing")
        elif health.rate_hz < SLOW * self._asked.fps:
            self._diagnostics.warn(f"{health.rate_hz:.1f} pictures a second, not {self._asked.fps:g}")
        else:
            self._diagnostics.ok("running")


def _serve(node: CameraNode, signals: Signals, executor: SingleThreadedExecutor) -> None:
    signals.interrupting(node.connect)
    pictures = Worker("camera")
    pictures.repeat(node.work)
    try:
        while True:
            signals.check()
            pictures.check()
            executor.spin_once(timeout_sec=LOOK)
    except Stopped:
        pictures.end()


def main() -> None:
    sys.exit(run_node(lambda _signals: CameraNode(), _serve))


if __name__ == "__main__":
    main()
