"""Bringing SAPIEN up on the machine's Vulkan device, and the sentence for a machine that has none."""

from __future__ import annotations

import os
from dataclasses import replace

from touchstone.errors import MissingPart, UsageError

#: the first two rasterise with shadows and look alike here, `minimal` is the faster; `rt` traces rays, for stills
SHADERS = ("minimal", "default", "rt")
DEFAULT_SHADER = "minimal"
#: 640x480 takes the better part of a minute on two CPU cores; OptiX's denoiser needs an NVIDIA GPU
RAY_TRACING = {"ray_tracing_samples_per_pixel": 32, "ray_tracing_path_depth": 3, "ray_tracing_denoiser": "none"}


def check_shader(name: str | None) -> str:
    """The shader to use. Raises UsageError for an unknown name."""
    if name is None:
        return DEFAULT_SHADER
    if name not in SHADERS:
        raise UsageError(f"Unknown shader '{name}'; choose one of: {', '.join(SHADERS)}.")
    return name


def shader_config(name: str):
    """ManiSkill's configuration of a shader."""
    from mani_skill.render.shaders import PREBUILT_SHADER_CONFIGS

    config = PREBUILT_SHADER_CONFIGS[name]
    return replace(config, shader_pack_config=RAY_TRACING) if name == "rt" else config


def require_vulkan() -> None:
    """Raises MissingPart when no Vulkan device can render for SAPIEN.

    SAPIEN needs VK_KHR_external_semaphore_fd: an NVIDIA driver, or Mesa lavapipe >= 24.3.
    """
    # lavapipe and PhysX share two cores with the policy; torch would take both for tiny tensors
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import sapien.render

    try:
        sapien.render.RenderSystem()
    except RuntimeError as error:
        raise MissingPart(
            f"No Vulkan device that SAPIEN accepts ({error}); install an NVIDIA driver or Mesa >= 24.3 "
            "(run `touchstone doctor` for the line to paste)."
        ) from error


def render_backend() -> str:
    """ManiSkill's word for where to render: the GPU if torch sees one, else lavapipe on the CPU."""
    import torch

    return "sapien_cuda" if torch.cuda.is_available() else "sapien_cpu"
