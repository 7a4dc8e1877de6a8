"""Bringing SAPIEN up on the machine's Vulkan device, and the sentence for a machine that has none."""

from __future__ import annotations

import os

from touchstone.errors import MissingPart, UsageError

#: both rasterise with shadows and look alike here; `minimal` is the faster
SHADERS = ("minimal", "default")
DEFAULT_SHADER = "minimal"


def check_shader(name: str | None) -> str:
    """The shader to use. Raises UsageError for an unknown name."""
    if name is None:
        return DEFAULT_SHADER
    if name not in SHADERS:
        raise UsageError(f"Unknown shader '{name}'; choose one of: {', '.join(SHADERS)}.")
    return name


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
