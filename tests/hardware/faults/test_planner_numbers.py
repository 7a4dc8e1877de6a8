"""A motion that a run of the matrix met and for which ruckig raises: two speeds are opposite but for the last bit."""

from __future__ import annotations

import numpy as np

from touchstone.robots.rm75 import ARM
from touchstone.safety.motion import Motion, Planner

POSITION = [
    -0.016931898845187972,
    0.35810120886668606,
    0.030089383894417076,
    1.3879595386474552,
    0.00045644515502527797,
    1.3487859316302793,
    -0.017850836051045257,
]
VELOCITY = [
    -0.053217465958231076,
    -0.46045021762566,
    0.01600510651685282,
    -0.12365350425704463,
    0.02297587401221336,
    0.46045021762566196,
    -0.08225084440907353,
]
TARGET = [
    -0.019136635135304805,
    0.34797826679767263,
    0.030780893634219687,
    1.3832525768777792,
    0.0014414838213993866,
    1.3589088736992925,
    -0.021144371111897844,
]


def test_where_ruckig_raises_the_planner_finds_no_way_and_the_gate_brakes():
    planner = Planner(7, ARM.limits.acceleration)
    motion = Motion(np.array(POSITION), np.array(VELOCITY))
    assert planner.towards(motion, np.array(TARGET), 0.01, 0.25 * ARM.limits.velocity) is None
