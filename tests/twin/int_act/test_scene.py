"""INT-ACT's scenes as worlds: what is there, what facts say, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sim_twin.shadow import make_shadow
from sim_twin.world import make_world
from tests.twin.int_act.worlds import episode, open_world
from touchstone.cameras import preset
from touchstone.errors import UsageError
from touchstone.policy import Chunk
from touchstone.robots.wx250s import ARM
from touchstone.tasks.emoji.touch import TouchEmoji
from touchstone.tasks.int_act.recorded import moment_of
from touchstone.tasks.int_act.rules import is_grasped
from touchstone.tasks.int_act.scenes import SINK, TABLE
from touchstone.world import WorldRequest

DT = 0.2


@pytest.fixture(scope="module")
def table():
    world = open_world(TABLE.name)
    yield world
    world.close()


def act(world, spec, k: int, kind: str, action, gripper: float):
    world.command(Chunk(1, k * spec.dt_ns, DT, kind, np.array([action], dtype=float), np.array([gripper])))
    world.advance((k + 1) * spec.dt_ns)
    return world.facts()


def test_the_arm_starts_exactly_where_the_suite_says_with_its_gripper_open(table):
    table.reset(episode("widowx_carrot_on_plate", 0))
    facts = table.facts()
    assert np.allclose(facts.joints.value, TABLE.start, atol=1e-7) and facts.opening.value == pytest.approx(1.0)
    assert np.allclose(facts.joint_velocities.value, 0) and facts.step == facts.stamp_ns == 0


def test_what_lies_on_the_table_touches_it_with_its_weight(table):
    table.reset(episode("widowx_carrot_on_plate", 5))
    facts = table.facts()
    for name in ("carrot", "plate"):
        weight = table._env.props[name].body.mass * 9.81
        assert facts.contacts[name].value == {"table": pytest.approx(weight, rel=0.02)}
        # a carrot is heavier at its thick end
        away = np.subtract(facts.centres[name].value, facts.objects[name].value[:3])
        assert 0.005 < np.hypot(*away[:2]) < 0.01 if name == "carrot" else np.allclose(away, 0, atol=1e-3)
        assert facts.finger_forces[name].value == [0.0] * 6
    assert moment_of(facts).objects["carrot"].contacts["table"] == pytest.approx(
        facts.contacts["carrot"].value["table"] * 0.002
    )


def test_a_cube_is_grasped_lifted_and_put_on_the_other(table):
    spec = episode("widowx_stack_cube", 0)
    table.reset(spec)
    first = table.facts()
    green, yellow = (np.array(first.objects[name].value[:3]) for name in ("green_cube", "yellow_cube"))
    down = ARM.ready_tcp.quaternion
    way = [(green + [0, 0, 0.08], 1.0)] * 3 + [(green + [0, 0, 0.004], 1.0)] * 4 + [(green + [0, 0, 0.004], 0.0)] * 4
    way += [(green + [0, 0, 0.09], 0.0)] * 4
    grasped = None
    for k, (position, gripper) in enumerate(way):
        facts = act(table, spec, k, "ee_abs", [*position, *down], gripper)
        if k == 9:
            grasped = moment_of(facts).objects["green_cube"]
    assert is_grasped(grasped) and set(grasped.contacts) == {"table"}
    assert facts.objects["green_cube"].value[2] > green[2] + 0.07 and facts.contacts["green_cube"].value == {}
    over, on = yellow + [0, 0, 0.09], yellow + [0, 0, 0.036]
    onwards = [(over, 0.0)] * 5 + [(on, 0.0)] * 5 + [(on, 1.0)] * 3 + [(over, 1.0)] * 5
    for k, (position, gripper) in enumerate(onwards, start=len(way)):
        facts = act(table, spec, k, "ee_abs", [*position, *down], gripper)
    assert set(facts.contacts["green_cube"].value) == {"yellow_cube"}
    assert facts.objects["green_cube"].value[2] == pytest.approx(0.045, abs=1e-3)


def test_equal_episodes_are_bitwise_equal_whatever_came_before(table):
    def play(name: str, index: int) -> list[str]:
        spec = episode(name, index)
        table.reset(spec)
        seen = [table.facts().model_dump_json()]
        for k in range(12):
            seen.append(act(table, spec, k, "align2", [0.01, 0.005, -0.02, 0, 0, 0.05], k % 2).model_dump_json())
        return seen

    once = play("widowx_coke_can_on_plate_clean", 3)
    play("widowx_stack_cube", 1)
    assert play("widowx_coke_can_on_plate_clean", 3) == once


def test_the_sink_stands_where_it_should_and_is_touched():
    world = open_world(SINK.name)
    world.reset(episode("widowx_put_eggplant_in_basket", 0))
    facts = world.facts()
    assert set(facts.contacts["eggplant"].value) == set(facts.contacts["basket_floor"].value) == {"sink"}
    assert set(facts.objects) == {"eggplant", "basket_floor"}
    assert np.allclose(facts.joints.value, SINK.start, atol=1e-7)
    world.close()


def test_a_spec_of_another_scene_is_one_sentence(table, twin):
    with pytest.raises(UsageError, match="in the scene 'int-act-sink', and this twin shows 'int-act-table'"):
        table.reset(episode("widowx_put_eggplant_in_basket", 0).model_copy(update={"camera": TABLE.camera}))
    spec = TouchEmoji().plan("val", 0, 0, ARM, TABLE.camera)
    with pytest.raises(UsageError, match="this twin shows 'int-act-table'"):
        table.reset(spec)
    with pytest.raises(UsageError, match="asks for carrot, plate, which this twin has not"):
        twin.reset(episode("widowx_carrot_on_plate", 0).model_copy(update={"camera": "grinningface"}))
    strange = episode("widowx_carrot_on_plate", 0)
    toaster = strange.layout[0].model_copy(update={"name": "toaster", "kind": "toaster"})
    with pytest.raises(UsageError, match="asks for toaster, which this twin has not"):
        table.reset(strange.model_copy(update={"layout": (toaster, *strange.layout[1:])}))
    with pytest.raises(UsageError, match="no scene 'kitchen'; it has: cards, int-act-table, int-act-sink"):
        make_world(WorldRequest(ARM.name, "grinningface", scene="kitchen"))


@pytest.mark.parametrize(
    ("name", "thing", "height"),
    [
        ("widowx_carrot_on_plate", "carrot", 0.019),
        ("widowx_put_eggplant_in_basket", "eggplant", 0.09),
    ],
)
def test_pictures_show_things_where_the_camera_model_has_them(name, thing, height):
    spec = episode(name, 0)
    world = open_world(spec.bench, pictures=True)
    world.reset(spec)
    frame = world.observe().cameras["scene"]
    world.close()
    u, v = frame.model.project(np.array([*spec.placement(thing).xy, height]))[0].round().astype(int)
    red, green, blue = frame.image[v - 3 : v + 4, u - 3 : u + 4].reshape(-1, 3).mean(axis=0)
    assert red > 2 * blue and red > 1.3 * green if thing == "carrot" else max(red, green, blue) < 90 and blue > green
    assert frame.image.mean() > 60 and frame.model.K.tolist() == preset(spec.camera).K.tolist()


def test_a_shadow_of_the_table_shifts_its_objects_and_keeps_its_light():
    world = make_shadow(
        WorldRequest(ARM.name, TABLE.camera, scene=TABLE.name, pictures=False, variant="mass+friction+latency#1")
    )
    spec = episode("widowx_carrot_on_plate", 0)
    world.reset(spec)
    facts = act(world, spec, 0, "align2", [0.01, 0, 0, 0, 0, 0], 1.0)
    shifts = world.sealed()["shifts"]
    plain = open_world(TABLE.name)
    plain.reset(spec)
    factor = world._env.props["carrot"].body.mass / plain._env.props["carrot"].body.mass
    assert factor == pytest.approx(shifts["mass"], rel=1e-5) and shifts["mass"] != 1
    assert shifts["looks"]["sun"] == (2.2, 2.2, 2.2) and facts.step == 1
    world.close()
    plain.close()
