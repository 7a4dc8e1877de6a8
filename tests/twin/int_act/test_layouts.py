"""Every episode starts with its objects at rest where and as the suite says."""

from __future__ import annotations

import pytest

from tests.twin.int_act.worlds import episode, layout_problems, open_world
from touchstone.tasks.int_act.scenes import SCENES
from touchstone.tasks.int_act.suite import EPISODES, suite


def different_episodes(scene: str):
    """The specs of all tasks and ids of a scene, one for each layout that differs."""
    seen = set()
    for task in suite().tasks.values():
        for index in range(EPISODES):
            spec = episode(task.id, index)
            if spec.bench == scene and spec.layout not in seen:
                seen.add(spec.layout)
                yield spec


@pytest.mark.parametrize("scene", SCENES)
def test_objects_are_at_rest_where_the_layout_says(scene):
    """Every object of the scene, in a few episodes."""
    world = open_world(scene)
    shown: set[str] = set()
    for spec in different_episodes(scene):
        names = {placement.name for placement in spec.layout}
        if not names <= shown:
            shown |= names
            world.reset(spec)
            assert layout_problems(world, spec, world.facts()) == []
    world.close()
    assert len(shown) == (19 if scene == "int-act-table" else 2)


@pytest.mark.long
@pytest.mark.parametrize("scene", SCENES)
def test_every_episode_of_every_task_agrees_with_its_layout(scene):
    world = open_world(scene)
    problems, count = [], 0
    for spec in different_episodes(scene):
        world.reset(spec)
        problems += layout_problems(world, spec, world.facts())
        count += 1
    world.close()
    assert problems == [] and count > 20
