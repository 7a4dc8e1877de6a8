"""The first check of every chunk: shape, frame, finite, gripper range. Nothing is repaired, nothing is clipped."""

from __future__ import annotations

import math

import numpy as np

from touchstone.policy import ACTION_WIDTH, Chunk

QUATERNION_NORM_TOLERANCE = 1e-3
#: no arm moves this far in one action [m, rad]; far beyond it squares overflow
ABSURD = 100.0


def chunk_problem(chunk: Chunk, joint_count: int) -> str | None:
    """One sentence on why this chunk must not be executed, or None if it may."""
    return form_problem(chunk, joint_count) or value_problem(chunk)


def form_problem(chunk: Chunk, joint_count: int) -> str | None:
    """What is wrong with kind, frame, shapes and types, or None."""
    if chunk.kind not in ACTION_WIDTH:
        return f"unknown action kind '{chunk.kind}'"
    if chunk.frame != "base":
        return f"actions are in frame '{chunk.frame}', the arm takes 'base'"
    width = ACTION_WIDTH[chunk.kind] or joint_count
    actions, gripper = np.asarray(chunk.actions), np.asarray(chunk.gripper)
    if actions.ndim != 2 or actions.shape[1] != width or len(actions) == 0:
        return f"'{chunk.kind}' actions have shape {actions.shape}, expected (n, {width}) with n >= 1"
    if gripper.shape != (len(actions),):
        return f"gripper has shape {gripper.shape}, expected ({len(actions)},)"
    if actions.dtype.kind not in "iuf" or gripper.dtype.kind not in "iuf":
        return f"actions are {actions.dtype} and gripper is {gripper.dtype}, expected numbers"
    if not (math.isfinite(chunk.dt) and chunk.dt > 0):
        return f"dt is {chunk.dt} s, expected a positive number"
    return None


def value_problem(chunk: Chunk) -> str | None:
    """What is wrong with the numbers of a well-formed chunk, or None."""
    actions, gripper = np.asarray(chunk.actions), np.asarray(chunk.gripper)
    if not (np.isfinite(actions).all() and np.isfinite(gripper).all()):
        return "actions hold NaN or infinity"
    if np.abs(actions).max() > ABSURD:
        return f"actions hold {np.abs(actions).max():.3g} m or rad, no arm moves over {ABSURD:g}"
    if gripper.min() < 0 or gripper.max() > 1:
        return f"gripper is {gripper.min():.3g}..{gripper.max():.3g}, expected 0 (closed) .. 1 (open)"
    if chunk.kind == "ee_abs" and np.abs(np.linalg.norm(actions[:, 3:], axis=1) - 1).max() > QUATERNION_NORM_TOLERANCE:
        return "'ee_abs' quaternions are not of unit length"
    return None
