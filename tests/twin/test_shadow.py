"""Shadows: the names of their shifts, the amounts that are drawn, and that each one reaches the real twin."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, fields

import numpy as np
import pytest

from sim_twin.shadow import Recipe, make_shadow, parse
from sim_twin.shifts import FAMILIES, Shifts
from sim_twin.world import make_world
from touchstone.cameras import preset
from touchstone.errors import UsageError
from touchstone.facts import Facts
from touchstone.policy import Chunk
from touchstone.robots.base import arm
from touchstone.tasks.base import PlanOptions
from touchstone.tasks.emoji.pick import PickEmoji
from touchstone.world import WorldRequest

ARM = arm("wx250s")
TASK = PickEmoji()
SPEC = TASK.plan("val", 0, 0, ARM, options=PlanOptions(arm_start="fixed"))
TICK = SPEC.dt_ns


def request(variant: str | None = None, pictures: bool = False) -> WorldRequest:
    return WorldRequest("wx250s", "grinningface", privileged=True, pictures=pictures, variant=variant)


@contextmanager
def shadow(variant: str, pictures: bool = False):
    """A shadow that was reset to SPEC."""
    world = make_shadow(request(variant, pictures))
    try:
        world.reset(SPEC)
        yield world
    finally:
        world.close()


@pytest.fixture(scope="module")
def plain():
    """The twin without shifts and without pictures, reset to SPEC by each test that moves it."""
    world = make_world(request())
    world.reset(SPEC)
    yield world
    world.close()


@pytest.fixture(scope="module")
def nominal_picture() -> np.ndarray:
    world = make_world(request(pictures=True))
    world.reset(SPEC)
    picture = world.observe().cameras["scene"].image.copy()
    world.close()
    return picture


# --- names ---


@pytest.mark.parametrize(
    ("variant", "strengths", "seed"),
    [
        ("light", {"light": 1.0}, 0),
        ("light#3", {"light": 1.0}, 3),
        ("light+latency@0.5", {"light": 0.5, "latency": 0.5}, 0),
        ("camera@0.2+grip@1#7", {"camera": 0.2, "grip": 1.0}, 7),
        ("camera@0.2+grip", {"camera": 0.2, "grip": 1.0}, 0),
        ("tint+camera@0.2+grip", {"tint": 0.2, "camera": 0.2, "grip": 1.0}, 0),
        ("gains@0", {"gains": 0.0}, 0),
        ("all@0.5#12", dict.fromkeys(FAMILIES, 0.5), 12),
        ("all", dict.fromkeys(FAMILIES, 1.0), 0),
    ],
)
def test_a_variant_names_shifts_strengths_and_a_seed(variant, strengths, seed):
    assert parse(variant) == Recipe(strengths, seed)


@pytest.mark.parametrize(
    ("variant", "says"),
    [
        ("", "names no shadow"),
        ("#3", "names no shadow"),
        ("light#", "names no shadow"),
        ("light#x", "names no shadow"),
        ("light#1#2", "names no shadow"),
        ("light#-1", "names no shadow"),
        ("fog", "Unknown shift 'fog'"),
        ("Light", "Unknown shift 'Light'"),
        ("light+", "Unknown shift ''"),
        ("light,tint", "Unknown shift 'light,tint'"),
        ("@0.5", "Unknown shift ''"),
        ("light@", "The strength ''"),
        ("light@strong", "The strength 'strong'"),
        ("light@1.01", "The strength '1.01'"),
        ("light@-0.1", "The strength '-0.1'"),
        ("light@nan", "The strength 'nan'"),
        ("light@inf", "The strength 'inf'"),
        ("light@0.5@0.5", "The strength '0.5@0.5'"),
        ("light+light", "names 'light' twice"),
        ("light+all@0.5", "names 'light' twice"),
    ],
)
def test_a_bad_variant_is_one_sentence(variant, says):
    with pytest.raises(UsageError) as caught:
        parse(variant)
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("variant", [None, ""])
def test_a_shadow_without_shifts_is_refused_with_an_example(variant):
    with pytest.raises(UsageError, match=r"for instance --world shadow:light\+latency@0\.5"):
        make_shadow(request(variant))


def test_the_twin_itself_has_no_variant():
    with pytest.raises(UsageError, match="The twin has no variant 'light'"):
        make_world(request("light"))


# --- amounts ---


def numbers(shifts: Shifts) -> np.ndarray:
    """Every parameter of some shifts, with the absent tint as factors of 1."""
    values = asdict(shifts)
    looks, tint = values.pop("looks"), values.pop("tint")
    return np.hstack([*values.values(), *looks.values(), (1.0, 1.0, 1.0) if tint is None else tint])


def changed(shifts: Shifts) -> np.ndarray:
    return np.flatnonzero(~np.isclose(numbers(shifts), numbers(Shifts()), rtol=0, atol=1e-9))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_shift_is_drawn_from_its_seed(name):
    one = parse(f"{name}#5").draw()
    assert one == parse(f"{name}#5").draw()
    assert one != parse(f"{name}#6").draw()
    assert len(changed(one)) > 0


@pytest.mark.parametrize("name", FAMILIES)
def test_strength_scales_and_none_shifts_nothing(name):
    assert len(changed(parse(f"{name}@0").draw())) == 0
    nothing = numbers(Shifts())

    def size(strength):
        return np.abs(numbers(parse(f"{name}@{strength}#2").draw()) - nothing)

    weak, half, full = size(0.1), size(0.5), size(1)
    moved = full > 1e-9
    assert (weak[moved] < half[moved]).all() and (half[moved] < full[moved]).all()


@pytest.mark.parametrize("name", ["camera", "latency", "backlash"])
def test_additive_shifts_grow_in_proportion(name):
    def draw(strength):
        shifts = parse(f"{name}@{strength}#4").draw()
        return np.hstack([shifts.camera_move, shifts.camera_turn, shifts.principal, shifts.latency_s, shifts.backlash])

    assert np.allclose(draw(0.25) * 4, draw(1))


@pytest.mark.parametrize("name", FAMILIES)
def test_each_shift_changes_its_own_parameters_and_leaves_the_others_as_they_were(name):
    alone, everything = parse(f"{name}#9").draw(), parse("all#9").draw()
    mine = changed(alone)
    assert np.array_equal(numbers(everything)[mine], numbers(alone)[mine])
    others = "+".join(other for other in FAMILIES if other != name)
    without = numbers(parse(f"{others}#9").draw())
    theirs = np.setdiff1d(np.arange(len(without)), mine)
    assert np.array_equal(numbers(everything)[theirs], without[theirs])
    assert np.allclose(without[mine], numbers(Shifts())[mine])


def test_amounts_lie_between_a_half_and_the_whole_of_their_amplitude():
    draws = [parse(f"latency+mass+camera+grip#{seed}").draw() for seed in range(60)]
    assert all(0.125 <= one.latency_s <= 0.25 for one in draws)
    assert all(0.05 <= one.grip <= 0.05**0.5 for one in draws)
    assert all(0.01 <= abs(move) <= 0.02 for one in draws for move in one.camera_move)
    assert all(3**0.5 <= max(one.mass, 1 / one.mass) <= 3 for one in draws)
    assert {one.mass > 1 for one in draws} == {True, False}


# --- in the twin ---


def test_a_shadow_says_that_it_is_one_and_keeps_its_secret():
    with shadow("all@0.5#3") as world:
        assert world.describe().plant == "shadow"
        sealed = world.sealed()
        again = json.loads(json.dumps(sealed))
        assert again["seed"] == 3 and again["strengths"] == dict.fromkeys(sorted(FAMILIES), 0.5)
        assert set(again["shifts"]) == {field.name for field in fields(Shifts)}
        assert again["shifts"]["latency_s"] == parse("all@0.5#3").draw().latency_s
        told = world.facts().model_dump()
        assert set(told) == set(Facts.model_fields)
        assert not ({field.name for field in fields(Shifts)} | set(FAMILIES)) & _keys(told)
        offer = world.describe().model_dump_json()
        assert "latency" not in offer and "all@" not in offer


def _keys(value) -> set[str]:
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(_keys(inner) for inner in value.values()))


@pytest.mark.parametrize("name", ["camera", "light", "tint", "texture"])
def test_what_a_camera_sees_shifts_and_what_is_told_about_it_does_not(name, nominal_picture):
    with shadow(f"{name}#1", pictures=True) as world:
        frame = world.observe().cameras["scene"]
        facts = world.facts()
    told, meant = frame.model, preset("grinningface")
    assert np.array_equal(told.K, meant.K)
    assert np.array_equal(told.base_from_camera.to_list(), meant.base_from_camera.to_list())
    assert frame.image.shape == nominal_picture.shape
    difference = np.abs(frame.image.astype(int) - nominal_picture.astype(int)).max(axis=-1)
    assert (difference > 8).mean() > 0.1
    assert facts.tcp.value is not None


def test_strength_0_is_the_twin_to_the_pixel(nominal_picture):
    with shadow("all@0", pictures=True) as world:
        difference = np.abs(world.observe().cameras["scene"].image.astype(int) - nominal_picture.astype(int))
    assert difference.max() <= 1


def test_pictures_of_a_shadow_are_reproducible():
    pictures = []
    for _ in range(2):
        with shadow("camera+light#2", pictures=True) as world:
            pictures.append(world.observe().cameras["scene"].image)
    assert np.array_equal(*pictures)


def run(world, ticks: int = 16, gripper: float = 1.0) -> np.ndarray:
    """Joint positions float64[ticks+1, n] while the arm is told to go 10 cm sideways in ten ticks."""
    world.reset(SPEC)
    positions = [world.facts().joints.value]
    for tick in range(ticks):
        observation = world.observe()
        action = np.zeros((1, 6))
        action[0, 1] = 0.01 if tick < 10 else 0.0
        world.command(
            Chunk(observation.id, observation.stamp_ns, TICK / 1e9, "target_delta", action, np.array([gripper]))
        )
        world.advance(observation.stamp_ns + TICK)
        positions.append(world.facts().joints.value)
    return np.array(positions)


def test_latency_delays_the_arm_by_what_is_sealed(plain):
    prompt = run(plain, 60)[:, 0]
    with shadow("latency#1") as world:
        sealed = world.sealed()["shifts"]["latency_s"]
        late = run(world, 60)[:, 0]
    times = np.arange(len(late)) * TICK / 1e9
    half = (prompt[0] + prompt[-1]) / 2
    delay = np.interp(half, late, times) - np.interp(half, prompt, times[: len(prompt)])
    assert abs(delay - sealed) < 0.015
    assert np.isclose(late[-1], prompt[-1], atol=2e-3)


def test_backlash_keeps_the_motors_half_the_play_behind(plain):
    target = run(plain, 60)[-1, 0]
    with shadow("backlash#1") as world:
        play = world.sealed()["shifts"]["backlash"]
        there = run(world, 60)[-1, 0]
    assert abs(abs(target - there) - play / 2) < 2e-3


def drive_properties(joint) -> np.ndarray:
    return np.array([joint.stiffness, joint.damping, joint.force_limit])


def test_gains_reach_the_arms_motors_alone(plain):
    with shadow("gains#1") as world:
        shifts = world.sealed()["shifts"]
        for own, nominal in zip(world._drives.joints, plain._drives.joints, strict=True):
            factors = drive_properties(own) / drive_properties(nominal)
            assert np.allclose(factors, [shifts["stiffness"], shifts["damping"], 1.0], rtol=1e-5)
        for own, nominal in zip(world._drives.fingers, plain._drives.fingers, strict=True):
            assert np.allclose(drive_properties(own), drive_properties(nominal))


def test_grip_reaches_the_fingers_alone(plain):
    with shadow("grip#1") as world:
        grip = world.sealed()["shifts"]["grip"]
        assert grip < 0.5
        for own, nominal in zip(world._drives.fingers, plain._drives.fingers, strict=True):
            assert np.allclose(drive_properties(own) / drive_properties(nominal), [1.0, 1.0, grip], rtol=1e-5)
        for own, nominal in zip(world._drives.joints, plain._drives.joints, strict=True):
            assert np.allclose(drive_properties(own), drive_properties(nominal))


def frictions(world) -> np.ndarray:
    """Coefficients of every prop and of every shape of the fingers, in a fixed order."""
    shapes = [shape for prop in world._env.props.values() for shape in prop.body.collision_shapes]
    shapes += [shape for finger in world._drives.fingers for shape in finger.child_link.collision_shapes]
    materials = [shape.physical_material for shape in shapes]
    return np.array([(material.static_friction, material.dynamic_friction) for material in materials])


def test_friction_reaches_pads_cube_and_cards(plain):
    with shadow("friction#1") as world:
        factor = world.sealed()["shifts"]["friction"]
        assert np.allclose(frictions(world) / frictions(plain), factor, rtol=1e-5)
        world.reset(SPEC)
        assert np.allclose(frictions(world) / frictions(plain), factor, rtol=1e-5)


def test_mass_and_inertia_reach_cube_and_cards(plain):
    with shadow("mass#1") as world:
        factor = world.sealed()["shifts"]["mass"]
        for name, prop in world._env.props.items():
            nominal = plain._env.props[name].body
            assert prop.body.mass == pytest.approx(nominal.mass * factor, rel=1e-5)
            assert np.allclose(prop.body.inertia, np.array(nominal.inertia) * factor, rtol=1e-5)
        assert plain._env.props["cube"].body.mass == pytest.approx(0.027, rel=1e-3)


def test_shifts_of_bodies_do_not_leak_into_the_next_twin(plain):
    before = frictions(plain)
    with shadow("friction+mass+gains#1"):
        pass
    plain.reset(SPEC)
    assert np.array_equal(frictions(plain), before)


def test_a_shadow_is_deterministic():
    with shadow("latency+backlash+gains#1") as world:
        first = run(world)
        assert np.array_equal(run(world), first)
