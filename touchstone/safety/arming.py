"""Whether a stopped arm may be armed again."""

from __future__ import annotations

import numpy as np

from touchstone.robots.base import JointLimits
from touchstone.safety.guard import Guard
from touchstone.safety.health import cool, motor_findings
from touchstone.safety.readings import Reading, reading_problem
from touchstone.safety.settings import POSITION_TOLERANCE, GateSettings

STANDING = 0.1  # [rad/s]; an arm that is re-armed must not be moving, backlash and noise aside


def rearm_problem(
    now_ns: int, reading: Reading, limits: JointLimits, settings: GateSettings, guard: Guard
) -> str | None:
    """Why the arm must stay stopped, as a part of a sentence, or None. now_ns: on the clock of the reading's stamp."""
    if now_ns - reading.stamp_ns > settings.reading_age:
        return "its state is not known"
    sentence = reading_problem(reading, len(limits.lower))
    if sentence:
        return f"its state makes no sense: {sentence}"
    found = motor_findings(reading, settings)
    if found:
        return found[0].detail
    if not cool(reading, settings):
        return f"a motor is warmer than {settings.resume_temperature:g} deg C"
    if np.abs(reading.velocity).max() > STANDING:
        return "it is moving"
    inside = np.clip(reading.joints, limits.lower, limits.upper)
    a_tick_outside = np.abs(inside - reading.joints).max() <= POSITION_TOLERANCE
    problem = guard.place_problem(inside if a_tick_outside else reading.joints)
    return problem[1] if problem else None
