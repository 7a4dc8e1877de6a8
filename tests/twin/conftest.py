import pytest

from touchstone.world import WorldRequest


@pytest.fixture(scope="module")
def twin():
    from sim_twin.world import make_world

    world = make_world(WorldRequest("wx250s", "grinningface", privileged=True))
    yield world
    world.close()
