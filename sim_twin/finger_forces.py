"""What the fingers feel."""

from __future__ import annotations

import numpy as np
import sapien.physx

from sim_twin.props import Prop
from touchstone.geometry import Pose


def finger_forces(scene, fingers, prop: Prop, tcp: Pose) -> list[float]:
    """Contact force [N] of each finger on `prop` in the last physics step, 3 numbers each, in the TCP's frame.

    scene: a ManiSkill scene. fingers: the two finger joints, left first. tcp: pose in the base frame, the world's.
    """
    forces = np.zeros((len(fingers), 3))
    links = [finger.child_link for finger in fingers]
    for contact in scene.px.get_contacts():
        first, second = contact.bodies
        for row, link in enumerate(links):
            if {first, second} == {link, prop.body}:
                forces[row] += _impulse(contact) * (1 if first == prop.body else -1)
    return (tcp.rotation().inv().apply(forces) / scene.timestep).ravel().tolist()


def _impulse(contact: sapien.physx.PhysxContact) -> np.ndarray:
    # on the first of the two bodies
    return np.sum([point.impulse for point in contact.points], axis=0)
