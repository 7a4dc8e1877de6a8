"""A software device of librealsense with the streams of a D400: rgb8 and z16, seen through one lens."""

from __future__ import annotations

from hardware.realsense.sdk import rs
from hardware.wall_time import to_wall
from touchstone.clock import Clock
from touchstone.data.frame_ring import RingFormat, RingFrame

INFO = {
    rs.camera_info.name: "Emulated RealSense",
    rs.camera_info.firmware_version: "none",
    rs.camera_info.usb_type_descriptor: "none",
    rs.camera_info.product_line: "emulated",
}
STILL = ([1, 0, 0, 0, 1, 0, 0, 0, 1], [0, 0, 0])


class SoftwareDevice:
    """Whatever is shown comes out of `device`. Its stamps are in the global domain, as a D400's are."""

    def __init__(self, serial: str, ring: RingFormat, clock: Clock) -> None:
        self._ring, self._clock = ring, clock
        self.device = rs.software_device()
        for what, text in (INFO | {rs.camera_info.serial_number: serial}).items():
            self.device.register_info(what, text)
        self._colour = self.device.add_sensor("RGB Camera")
        self._colour_profile = self._colour.add_video_stream(self._stream(rs.stream.color, 1, 3, rs.format.rgb8))
        self._depth = None
        if ring.depth_scale is not None:
            self._depth = self.device.add_sensor("Stereo Module")
            self._depth_profile = self._depth.add_video_stream(self._stream(rs.stream.depth, 2, 2, rs.format.z16))
            self._depth.add_read_only_option(rs.option.depth_units, ring.depth_scale)
            self._colour_profile.register_extrinsics_to(self._depth_profile, _extrinsics())
            self._depth_profile.register_extrinsics_to(self._colour_profile, _extrinsics())
        self.device.create_matcher(rs.matchers.default)

    def show(self, frame: RingFrame) -> None:
        """Hands a picture to librealsense, which copies it."""
        wall = to_wall(frame.stamp_ns, self._clock)
        # depth first: where the syncer gives up pairing, far below the nominal rate, colour still comes with its depth
        if self._depth is not None:
            self._give(self._depth, self._depth_profile, frame.depth, frame.number, wall)
        self._give(self._colour, self._colour_profile, frame.colour, frame.number, wall)

    def _give(self, sensor, profile, pixels, number: int, wall_ms: float) -> None:
        # without this, the syncer does not pair colour and depth
        sensor.set_metadata(rs.frame_metadata_value.actual_fps, int(self._ring.fps * self._clock.scale * 1000))
        frame = rs.software_video_frame()
        frame.pixels = pixels
        frame.bpp = pixels.dtype.itemsize * (pixels.shape[2] if pixels.ndim == 3 else 1)
        frame.stride = frame.bpp * pixels.shape[1]
        frame.timestamp, frame.domain = wall_ms, rs.timestamp_domain.global_time
        frame.frame_number = number
        frame.profile = profile.as_video_stream_profile()
        if self._ring.depth_scale is not None:
            frame.depth_units = self._ring.depth_scale
        sensor.on_video_frame(frame)

    def _stream(self, kind: rs.stream, uid: int, bytes_each: int, form: rs.format) -> rs.video_stream:
        stream = rs.video_stream()
        stream.type, stream.index, stream.uid = kind, 0, uid
        stream.width, stream.height, stream.fps = self._ring.width, self._ring.height, round(self._ring.fps)
        stream.bpp, stream.fmt = bytes_each, form
        stream.intrinsics = self._lens()
        return stream

    def _lens(self) -> rs.intrinsics:
        lens = rs.intrinsics()
        lens.width, lens.height = self._ring.width, self._ring.height
        lens.fx, lens.fy = self._ring.K[0, 0], self._ring.K[1, 1]
        lens.ppx, lens.ppy = self._ring.K[0, 2], self._ring.K[1, 2]
        lens.model, lens.coeffs = rs.distortion.brown_conrady, list(map(float, self._ring.distortion))
        return lens


def _extrinsics() -> rs.extrinsics:
    still = rs.extrinsics()
    still.rotation, still.translation = STILL
    return still
