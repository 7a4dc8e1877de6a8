"""The Vulkan device: found by making one, as the twin does."""

from __future__ import annotations

import json

from touchstone.doctor.check import Check
from touchstone.doctor.probe import SET_UP, ask, ask_python

PROBE = """
import json
import sapien.render
device = sapien.render.RenderSystem().device
print(json.dumps({"name": device.name, "renders": device.can_render()}))
"""
#: SAPIEN needs VK_KHR_external_semaphore_fd, which lavapipe has since Mesa 24.3
NEEDED = "an NVIDIA driver, or Mesa >= 24.3 (Debian 12: from backports)"


def check_vulkan() -> Check:
    answer = ask_python(PROBE)
    if answer.problem:
        return _missing(answer.problem)
    device = json.loads(answer.text.splitlines()[-1])
    if not device["renders"]:
        return _missing(f"SAPIEN cannot render on '{device['name']}'")
    driver = _mesa() if "llvmpipe" in device["name"] else ""
    return Check(
        name="Vulkan device",
        status="ok",
        detail=f"{device['name']}{driver}",
        needed_for_main_job=True,
    )


def _missing(problem: str) -> Check:
    return Check(
        name="Vulkan device",
        status="missing",
        detail=f"no device that SAPIEN accepts ({problem})",
        fix=f"{NEEDED}: {SET_UP}",
        needed_for_main_job=True,
    )


def _mesa() -> str:
    found = ask(["dpkg-query", "-W", "-f", "${Version}", "mesa-vulkan-drivers"], limit_s=20.0)
    return "" if found.problem else f", Mesa {found.text}"
