"""Sessions made by hand: planned by the real task, drawn pictures, facts that lead to a chosen verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from touchstone.bench import TABLE_Z
from touchstone.cameras import preset
from touchstone.data.journal import EpisodeLine, Session
from touchstone.facts import Event, Fact, Facts
from touchstone.geometry import Pose
from touchstone.policy import Chunk, Timing
from touchstone.robots.wx250s import ARM
from touchstone.spec import Spec
from touchstone.tasks.emoji.cards import card_corners, card_picture
from touchstone.tasks.emoji.touch import TouchEmoji
from touchstone.world import CameraFrame, GripperState, JointState, Observation

TASK = TouchEmoji()
CONFIG = {
    "task": "touch-emoji",
    "world": "twin",
    "robot": "wx250s",
    "policy": "card-matcher",
    "protocol": "val",
    "seed": 0,
}
PROVENANCE = {
    "plant": "twin",
    "path": "inproc",
    "versions": {"touchstone": "0.1.0"},
    "offer": {"shader": "minimal"},
    "contract": {"name": "card-matcher", "needs_privileged": False},
    "command": "touchstone eval touch-emoji --world twin --policy card-matcher --protocol val --trials 9",
}
DOWN = (0.0, 0.7071068, 0.0, 0.7071068)
TICKS = 12


@dataclass(frozen=True)
class Tick:
    """What a runner gives the recorder at one tick."""

    observation: Observation
    facts: Facts
    events: list[Event]
    chunk: Chunk | None
    stages_ms: dict[str, float]


def plan(index: int, protocol: str = "val", seed: int = 0) -> Spec:
    return TASK.plan(protocol, seed, index, ARM)


def episode(spec: Spec, ending: str = "right", ticks: int = TICKS) -> list[Tick]:
    """An episode that ends on the `right` card, on a `wrong` one, `beside` the cards, or `never` closes."""
    others = [placement for placement in spec.layout if placement.name != spec.target]
    aim = {"right": spec.placement(spec.target), "wrong": others[spec.index % len(others)]}
    xy = aim[ending].xy if ending in aim else (0.20, 0.0)
    random = np.random.default_rng(spec.index)
    start = ARM.ready_tcp.position
    end = np.array([*xy, TABLE_Z + 0.03])
    picture = _bench(spec)
    out = []
    for step in range(ticks):
        reach = min(1.0, step / (ticks - 5))
        closing = ending != "never" and step >= ticks - 3
        opening = max(0.1, 1.0 - 0.5 * (step - ticks + 4)) if closing else 1.0
        tcp = Pose((1 - reach) * start + reach * end, np.array(DOWN))
        out.append(_tick(spec, step, tcp, opening, closing, picture, step == ticks - 1, random))
    return out


def write_episode(session: Session, spec: Spec, ending: str = "right", ticks: int = TICKS) -> EpisodeLine:
    """Records one episode and judges it as a runner would."""
    recorder = session.record(spec)
    made = episode(spec, ending, ticks)
    for tick in made:
        recorder.tick(tick.observation, tick.facts, tick.events, tick.chunk, tick.stages_ms)
    events = [event for tick in made for event in tick.events]
    return recorder.finish(TASK.judge(spec, [tick.facts for tick in made], events))


def write_session(out: Path, endings: list[str], ticks: int = TICKS, **provenance) -> Path:
    """A whole session with one episode per ending."""
    with Session.open(out, CONFIG, {**PROVENANCE, **provenance}) as session:
        for index, ending in enumerate(endings):
            write_episode(session, plan(index), ending, ticks)
    return out


def _tick(spec, step, tcp: Pose, opening: float, closing: bool, picture, last: bool, random) -> Tick:
    stamp = step * spec.dt_ns
    model = preset(spec.camera)
    image = picture.copy()
    u, v = model.project(tcp.position)[0]
    cv2.circle(image, (round(u), round(v)), 12, (40, 40, 48), -1)
    observation = Observation(
        id=step,
        episode=spec.episode,
        step=step,
        stamp_ns=stamp,
        clock="sim",
        cameras={"scene": CameraFrame(image, stamp, "sim", model)},
        joints=JointState(ARM.joint_names, np.array(ARM.ready), np.zeros(6), np.zeros(6)),
        ee=tcp,
        ee_commanded=tcp,
        gripper=GripperState(opening, ARM.gripper.width(ARM.gripper.finger_position(opening))),
        instruction=spec.instruction,
    )
    objects = {
        p.name: Fact(value=[*p.xy, TABLE_Z, 1.0, 0.0, 0.0, 0.0], source="sim", frame="base") for p in spec.layout
    }
    facts = Facts(
        step=step,
        stamp_ns=stamp,
        tcp=Fact(value=tcp.to_list(), source="sim", frame="base"),
        tcp_commanded=Fact(value=tcp.to_list(), source="sim", frame="base"),
        joints=Fact(value=list(ARM.ready), source="sim"),
        opening=Fact(value=opening, source="sim"),
        opening_commanded=Fact(value=0.0 if closing else 1.0, source="sim"),
        objects=objects,
    )
    events = [Event(stamp_ns=stamp, step=step, kind="close_commanded")] if closing and opening > 0.4 else []
    chunk = None
    if not last:
        actions, gripper = np.array([[0.01, 0.0, -0.01, 0.0, 0.0, 0.0]]), np.array([0.0 if closing else 1.0])
        chunk = Chunk(step, stamp, 0.2, "target_delta", actions, gripper, timing=Timing(0.1, 3.0, 3.4))
    stages = {"render": random.gamma(20, 0.7), "infer": random.gamma(9, 0.4), "step": random.gamma(4, 1.1)}
    return Tick(observation, facts, events, chunk, stages)


def _bench(spec: Spec) -> np.ndarray:
    model = preset(spec.camera)
    image = np.full((model.height, model.width, 3), (150, 170, 185), np.uint8)
    for placement in spec.layout:
        card = card_picture(placement.emoji, 160)
        corners = np.column_stack([card_corners(placement.xy, placement.yaw), np.full(4, TABLE_Z)])
        source = np.array([[0, 0], [160, 0], [160, 160], [0, 160]], dtype=np.float32)
        warp = cv2.getPerspectiveTransform(source, model.project(corners).astype(np.float32))
        size = (model.width, model.height)
        mask = cv2.warpPerspective(np.full(card.shape[:2], 255, np.uint8), warp, size)
        image[mask > 127] = cv2.warpPerspective(card, warp, size)[mask > 127]
    return image
