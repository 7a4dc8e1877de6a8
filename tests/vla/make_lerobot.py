"""Makes a tiny checkpoint with LeRobot itself: python make_lerobot.py ROOT

Writes to ROOT the folders `act` (layout touchstone), `act-bridge` (layout bridge, no normalisation) and `wide` (a state
that no layout has), each with random weights and LeRobot's processors, saved by LeRobot's own save_pretrained; and
`expected.npz`, what LeRobot answers to `observation.npz`, which lies in ROOT. Needs LeRobot, nothing of Touchstone.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from lerobot.configs import FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.factory import make_pre_post_processors

SMALL = dict(dim_model=32, n_heads=2, dim_feedforward=64, n_encoder_layers=1, n_vae_encoder_layers=1, latent_dim=8)


def make(root: Path, name: str, size: tuple[int, int], stats: dict | None, state: int = 7, joints: bool = False):
    """Saves an ACT with chunks of 6 of which 3 are executed; returns it with its processors."""
    torch.manual_seed(0)
    features = {
        "observation.images.scene": PolicyFeature(FeatureType.VISUAL, (3, *size)),
        "observation.state": PolicyFeature(FeatureType.STATE, (state,)),
    }
    if joints:
        features["observation.joints"] = PolicyFeature(FeatureType.STATE, (6,))
    mode = NormalizationMode.MEAN_STD if stats else NormalizationMode.IDENTITY
    config = ACTConfig(
        input_features=features,
        output_features={"action": PolicyFeature(FeatureType.ACTION, (7,))},
        normalization_mapping={"VISUAL": mode, "STATE": mode, "ACTION": mode},
        chunk_size=6,
        n_action_steps=3,
        pretrained_backbone_weights=None,
        device="cpu",
        push_to_hub=False,
        **SMALL,
    )
    policy = ACTPolicy(config).eval()
    before, after = make_pre_post_processors(config, dataset_stats=stats)
    for part in (policy, before, after):
        part.save_pretrained(root / name)
    return policy, before, after


def statistics() -> dict:
    """Means and deviations that are not 0 and 1, so that a forgotten processor shows."""

    def pair(mean, std):
        return {"mean": torch.tensor(mean, dtype=torch.float32), "std": torch.tensor(std, dtype=torch.float32)}

    return {
        "observation.images.scene": pair([[[0.4]], [[0.5]], [[0.6]]], [[[0.2]], [[0.3]], [[0.4]]]),
        "observation.state": pair([0.3, 0, 0.2, 0, 1.5, 0, 0.5], [0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.5]),
        "observation.joints": pair([0.0] * 6, [0.5] * 6),
        "action": pair([0.001, 0.002, -0.003, 0, 0, 0.01, 0.5], [0.01, 0.01, 0.01, 0.02, 0.02, 0.05, 0.4]),
    }


def main(root: Path) -> None:
    touchstone = make(root, "act", (48, 64), statistics(), joints=True)
    bridge = make(root, "act-bridge", (224, 224), None)
    make(root, "wide", (48, 64), statistics() | {"observation.state": statistics()["observation.joints"]}, state=6)
    given = np.load(root / "observation.npz")
    expected = {}
    with torch.inference_mode():
        for name, (policy, before, after) in {"act": touchstone, "bridge": bridge}.items():
            batch = {
                key.removeprefix(f"{name}/"): torch.from_numpy(given[key])
                for key in given
                if key.startswith(f"{name}/")
            }
            chunk = policy.predict_action_chunk(before(batch | {"task": ["Touch Cat."]}))
            # LeRobot's own loop hands its processor one action at a time
            expected[name] = np.stack([after(chunk[:, k])[0].numpy() for k in range(chunk.shape[1])])
    np.savez(root / "expected.npz", **expected)
    print("made")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
