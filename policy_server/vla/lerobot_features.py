"""Between an observation and the features of a LeRobot checkpoint, and between its actions and a chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from policy_server.vla import bridge, pictures
from policy_server.vla.bridge import Actions
from touchstone.errors import UsageError
from touchstone.policy import CameraNeed, PolicyContract
from touchstone.world import Observation

if TYPE_CHECKING:
    from policy_server.vla.lerobot import LeRobotOptions

STATE, JOINTS, ACTION, PICTURE = "observation.state", "observation.joints", "action", "observation.images."

#: x y z [m], rotation (vector or angles) [rad], gripper: both layouts' state and action
WIDTH = 7

#: INT-ACT's pi0 sees this size, whatever its configuration says
BRIDGE_SIZE = 224


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint's configuration asks for.

    cameras: feature -> our camera's need. joints: it takes `observation.joints`. chunk_length, execute: actions.
    """

    kind: str
    name: str
    cameras: dict[str, CameraNeed]
    state: bool
    joints: bool
    chunk_length: int
    execute: int

    @staticmethod
    def of(config: Any, options: LeRobotOptions) -> Checkpoint:
        """Raises UsageError for features that neither layout has. config: LeRobot's PreTrainedConfig."""
        wanted = {key: tuple(feature.shape) for key, feature in config.input_features.items()}
        images = [key for key in wanted if key.startswith(PICTURE) and ".empty_camera_" not in key]
        for key, width in ((STATE, wanted.get(STATE)), (ACTION, tuple(config.output_features[ACTION].shape))):
            if width not in (None, (WIDTH,)):
                raise UsageError(
                    f"'{options.checkpoint}' has {width[0]} numbers in '{key}' and the layout '{options.layout}' has "
                    f"{WIDTH}; train it on a dataset of `touchstone collect`, or write a policy of your own."
                )
        known = {STATE, JOINTS, *images} if options.layout == "touchstone" else {STATE, *images}
        strange = [key for key in wanted if key not in known and ".empty_camera_" not in key]
        if strange:
            raise UsageError(
                f"'{options.checkpoint}' wants {', '.join(strange)}, which the layout '{options.layout}' has not."
            )
        execute = options.execute or config.n_action_steps
        if execute > config.chunk_size:
            raise UsageError(f"'{options.checkpoint}' predicts {config.chunk_size} actions; execute at most as many.")
        return Checkpoint(
            kind=config.type,
            name=options.checkpoint,
            cameras={key: _need(key, wanted[key], options, single=len(images) == 1) for key in images},
            state=STATE in wanted,
            joints=JOINTS in wanted,
            chunk_length=config.chunk_size,
            execute=execute,
        )


def _need(key: str, shape: tuple[int, ...], options: LeRobotOptions, single: bool) -> CameraNeed:
    height, width = (BRIDGE_SIZE, BRIDGE_SIZE) if options.layout == "bridge" else shape[1:]
    name = options.camera if single else key.removeprefix(PICTURE)
    return CameraNeed(name=name, width=width, height=height, resize="stretch")


def declared(checkpoint: Checkpoint, options: LeRobotOptions) -> PolicyContract:
    """The contract; what the options leave open is the layout's."""
    is_bridge = options.layout == "bridge"
    return PolicyContract(
        name=f"lerobot-{checkpoint.kind}",
        version=checkpoint.name,
        cameras=tuple(checkpoint.cameras.values()),
        state=("ee", "gripper") if checkpoint.state else (),
        action_kind=options.action_kind or ("align2" if is_bridge else "target_delta"),
        gripper_polarity=options.gripper_polarity,
        normalisation_key="bridge" if is_bridge else "checkpoint",
        rate_hz=options.rate_hz or (5.0 if is_bridge else None),
        chunk_length=checkpoint.chunk_length,
        execute=checkpoint.execute,
        batch=options.batch,
        embodiments=("wx250s",) if is_bridge else (),
    )


def features(checkpoint: Checkpoint, observation: Observation, options: LeRobotOptions) -> dict[str, np.ndarray]:
    """The checkpoint's inputs: pictures float32[3,H,W] in [0, 1], state float32[7], joints float32[n]."""
    resized = pictures.lanczos if options.layout == "bridge" else pictures.area
    row: dict[str, np.ndarray] = {}
    for key, need in checkpoint.cameras.items():
        image = observation.cameras[need.name].image
        if image.shape[:2] != (need.height, need.width):
            image = resized(image, need.width, need.height)
        row[key] = pictures.unit(image)
    if checkpoint.state:
        row[STATE] = _state(observation, options).astype(np.float32)
    if checkpoint.joints:
        row[JOINTS] = np.asarray(observation.joints.position, dtype=np.float32)
    return row


def _state(observation: Observation, options: LeRobotOptions) -> np.ndarray:
    if options.layout == "bridge":
        numbers = bridge.state(observation)
    else:
        turn = observation.ee.rotation().as_rotvec()
        numbers = np.concatenate([observation.ee.position, turn, [observation.gripper.opening]])
    if options.gripper_polarity == "close_is_one":
        numbers[-1] = 1.0 - numbers[-1]
    return bridge.to_bounds(numbers, bridge.PROPRIO) if options.layout == "bridge" else numbers


def to_chunk(numbers: np.ndarray, options: LeRobotOptions) -> Actions:
    """A checkpoint's chunk, float64[N,7] after its own processors, as metres, rotation vectors and openings."""
    motion, gripper = numbers[:, :6], _opening(numbers[:, 6], options)
    if options.layout == "bridge":
        motion = bridge.from_bounds(motion, bridge.ACTION)
        motion = np.concatenate([motion[:, :3], bridge.rotation_vectors(motion[:, 3:])], axis=1)
    return Actions(motion, gripper)


def _opening(gripper: np.ndarray, options: LeRobotOptions) -> np.ndarray:
    if options.gripper == "binary":
        return bridge.opening(gripper, options.gripper_polarity)
    # a regressed gripper overshoots a little around its ends, which no arm may be asked for
    limited = np.clip(gripper, 0.0, 1.0)
    return limited if options.gripper_polarity == "open_is_one" else 1.0 - limited
