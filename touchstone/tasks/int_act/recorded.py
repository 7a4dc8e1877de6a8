"""From the facts of a journal to the moments that INT-ACT's rules read."""

from __future__ import annotations

import numpy as np

from touchstone.errors import UsageError
from touchstone.facts import Facts
from touchstone.geometry import Pose
from touchstone.tasks.int_act.moments import Moment, ObjectMoment

#: length of a physics step of the suite [s]: its thresholds are impulses of one step
PHYSICS_STEP = 0.002
#: origin of `ee_gripper_link` in the TCP's frame [m] (URDF: 27.575 mm and 33 mm beyond the fingers' link)
LINK_FROM_TCP = np.array([0.027575 - 0.033, 0.0, 0.0])


def moment_of(facts: Facts) -> Moment:
    """One tick, in the base frame. Raises UsageError for facts of a world that does not know where things are."""
    tcp = Pose.from_list(facts.tcp.value)
    return Moment(
        step=facts.step,
        ee=tuple((tcp.position + tcp.rotation().apply(LINK_FROM_TCP)).tolist()),
        objects={name: _object(facts, name) for name in facts.objects},
    )


def _object(facts: Facts, name: str) -> ObjectMoment:
    pose, centre = facts.objects[name].value, facts.centres.get(name)
    if pose is None or centre is None or centre.value is None:
        raise UsageError(
            f"Where the {name} is at tick {facts.step} is not in the journal; INT-ACT's rules need a world that knows."
        )
    forces = facts.finger_forces.get(name)
    impulses = np.zeros(6) if forces is None else np.array(forces.value) * PHYSICS_STEP
    contacts = facts.contacts.get(name)
    return ObjectMoment(
        pose=tuple(pose),
        centre=tuple(centre.value),
        left=tuple(impulses[:3].tolist()),
        right=tuple(impulses[3:].tolist()),
        contacts={} if contacts is None else {other: f * PHYSICS_STEP for other, f in contacts.value.items()},
    )
