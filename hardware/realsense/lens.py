"""The camera's lens as it says itself, compared with the calibration's."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from hardware.realsense.sdk import rs
from touchstone.calibration import CameraCalibration
from touchstone.cameras import CameraModel
from touchstone.errors import UsageError
from touchstone.geometry import Pose

#: pixels at 640 wide, root mean square over the picture. A factory calibration and a good one with a board differ by a
#: few, another lens or resolution by tens: a D435's f is about 612 px, the GrinningFace preset's 351
TOLERANCE_PX = 8.0
GRID = 9  # rays across and down
#: librealsense 2.59 projects with each of these as OpenCV does with the same five numbers, to 0.02 px (a test)
AS_OPENCV = (
    rs.distortion.brown_conrady,
    rs.distortion.inverse_brown_conrady,
    rs.distortion.modified_brown_conrady,
)


def model_of(intrinsics: rs.intrinsics, calibration: CameraCalibration | None, name: str) -> CameraModel:
    """The calibration's camera with the device's K and distortion. Raises UsageError when the two lenses see
    differently, or the device's is no pinhole. Without a calibration: the device's lens, at the origin."""
    size = (intrinsics.width, intrinsics.height)
    own = CameraModel(*size, matrix(intrinsics), distortion(intrinsics, name), Pose.identity())
    if calibration is None:
        return own
    model = calibration.model()
    if (own.width, own.height) != (model.width, model.height):
        raise UsageError(
            f"{name} gives {own.width}x{own.height} and its calibration is of {model.width}x{model.height}; ask for "
            "that size or calibrate this one."
        )
    apart = _pixels_apart(own, model)
    if not apart <= TOLERANCE_PX * own.width / 640:
        raise UsageError(
            f"The calibration is not of this lens: {name} says {describe(own)}, the calibration {describe(model)}, and "
            f"points lie {apart:.0f} px apart; calibrate this camera."
        )
    return replace(own, base_from_camera=model.base_from_camera)


def matrix(intrinsics: rs.intrinsics) -> np.ndarray:
    """K float64[3,3]; librealsense counts pixels as OpenCV does."""
    return np.array(
        [[intrinsics.fx, 0.0, intrinsics.ppx], [0.0, intrinsics.fy, intrinsics.ppy], [0.0, 0.0, 1.0]], dtype=np.float64
    )


def distortion(intrinsics: rs.intrinsics, name: str) -> np.ndarray:
    """float64[5], OpenCV order. Raises UsageError for a fisheye."""
    if intrinsics.model == rs.distortion.none:
        return np.zeros(5)
    coefficients = np.array(intrinsics.coeffs[:5], dtype=np.float64)
    if coefficients.any() and intrinsics.model not in AS_OPENCV:
        raise UsageError(
            f"{name} has a {intrinsics.model} lens, which no twin renders; use a camera with a plain lens."
        )
    return coefficients


def describe(model: CameraModel) -> str:
    """A lens in words."""
    numbers = " ".join(f"{value:.4g}" for value in model.distortion)
    return f"f {model.K[0, 0]:.1f} {model.K[1, 1]:.1f}, centre {model.K[0, 2]:.1f} {model.K[1, 2]:.1f} px, " + (
        f"distortion {numbers}" if model.distortion.any() else "no distortion"
    )


def _pixels_apart(one: CameraModel, other: CameraModel) -> float:
    """How far apart two lenses put the same rays, root mean square over the first one's picture [px]."""
    across, down = np.meshgrid(np.linspace(0, one.width - 1, GRID), np.linspace(0, one.height - 1, GRID))
    pixels = np.stack([across.ravel(), down.ravel()], axis=1)
    flat = cv2.undistortPoints(pixels[:, None], one.K, one.distortion)[:, 0]
    rays = np.column_stack([flat, np.ones(len(flat))])
    seen, _ = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), other.K, other.distortion)
    return float(np.sqrt(np.mean(np.sum((seen[:, 0] - pixels) ** 2, axis=1))))
