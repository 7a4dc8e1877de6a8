"""The objects as bodies: sizes, masses, hollows; where they come to rest; and what the rules say of them there."""

from __future__ import annotations

import numpy as np
import pytest
import sapien
import sapien.physx
import trimesh
from scipy.spatial import ConvexHull

from sim_twin.int_act import official
from sim_twin.int_act.contacts import contacts
from sim_twin.int_act.shapes import BUILDERS, shape_of
from sim_twin.int_act.sink import BASKET_FLOOR, FLOOR, RIM
from sim_twin.int_act.thing import Thing
from sim_twin.rendering import require_vulkan
from touchstone.errors import MissingPart
from touchstone.geometry import rotation_from_quaternion
from touchstone.tasks.int_act.layouts import drops
from touchstone.tasks.int_act.metrics import score_episode
from touchstone.tasks.int_act.moments import Moment, ObjectMoment
from touchstone.tasks.int_act.objects import TABLE, object_kind, objects
from touchstone.tasks.int_act.suite import suite

NAMES = tuple(objects())
ON_TABLE = [task for task in suite().tasks.values() if task.layout.scene == "table"]
#: every object in every turn in which the table's tasks drop it
DROPPED = sorted({(d.object, d.turn) for task in ON_TABLE for episode in range(24) for d in drops(task, episode)})
ROLLERS = {"coke_can", "pepsi_can", "orange", "eggplant"}
#: source, target, turns and rule: one task of each kind
KINDS = {(t.objects.source, t.objects.target, t.orientations, t.rule.name): t for t in ON_TABLE if not t.rule.negated}
TOP = 0.87
PHYSICS_HZ, CONTROL_HZ = 500, 5


@pytest.fixture(autouse=True, scope="module")
def vulkan():
    require_vulkan()


def table() -> sapien.Scene:
    """The suite's physics and its table top."""
    # SAPIEN's settings are the process's: a twin that ran before leaves its own
    sapien.physx.set_shape_config(contact_offset=0.005, rest_offset=0)
    sapien.physx.set_body_config(solver_position_iterations=25, solver_velocity_iterations=1)
    sapien.physx.set_scene_config(enable_pcm=False, enable_tgs=True)
    scene = sapien.Scene()
    scene.set_timestep(1 / PHYSICS_HZ)
    slab = sapien.physx.PhysxRigidStaticComponent()
    slab.attach(sapien.physx.PhysxCollisionShapeBox([1, 1, 0.05], sapien.physx.PhysxMaterial(1, 1, 0)))
    entity = sapien.Entity()
    entity.name = TABLE
    entity.add_component(slab)
    entity.pose = sapien.Pose([0, 0, TOP - 0.05])
    scene.add_entity(entity)
    return scene


def settle(scene: sapien.Scene, thing: Thing) -> None:
    """INT-ACT's rule: half a second with roll and pitch held, half a second without, and more for what still moves."""
    thing.lock_tilt(True)
    step(scene, 0.5)
    thing.lock_tilt(False)
    step(scene, 0.5)
    if np.linalg.norm(thing.body.linear_velocity) > 1e-3 or np.linalg.norm(thing.body.angular_velocity) > 1e-2:
        step(scene, 1.5)


def step(scene: sapien.Scene, seconds: float) -> None:
    for _ in range(round(seconds * PHYSICS_HZ)):
        scene.step()


def is_within(name: str, point) -> bool:
    """Whether a point of the object's frame [m] lies in one of its pieces."""
    return min(depth(piece, point) for piece in shape_of(name).pieces) <= 0


def depth(piece: np.ndarray, points) -> np.ndarray:
    """How far outside the convex hull of `piece` points are; negative inside."""
    planes = ConvexHull(piece).equations
    return (np.atleast_2d(points) @ planes[:, :3].T + planes[:, 3]).max(axis=1).min()


def test_there_is_a_shape_for_every_object():
    assert set(BUILDERS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_looks_and_collisions_fill_the_bounding_box_within_a_millimetre(name):
    bounds = object_kind(name).bounds
    seen = np.vstack([part.vertices for part in shape_of(name).parts])
    assert np.allclose([seen.min(axis=0), seen.max(axis=0)], bounds, atol=1e-6)
    # as PhysX made it, which lets go of points
    solid = np.vstack([shape.vertices for shape in Thing(sapien.Scene(), name).body.collision_shapes])
    assert np.allclose([solid.min(axis=0), solid.max(axis=0)], bounds, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_the_mass_is_the_density_times_the_volume_of_the_pieces(name):
    thing = Thing(sapien.Scene(), name)
    volume = sum(ConvexHull(shape.vertices).volume for shape in thing.body.collision_shapes)
    assert thing.body.mass == pytest.approx(object_kind(name).density * volume, rel=0.02)
    box = np.prod(object_kind(name).size)
    assert 0.05 * box < volume <= 1.001 * box


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"rabbit"}))
def test_pieces_hardly_overlap_so_that_no_mass_counts_twice(name):
    draw = np.random.default_rng(0)
    points = draw.uniform(*object_kind(name).bounds, size=(4000, 3))
    hulls = [ConvexHull(piece).equations for piece in shape_of(name).pieces]
    inside = np.sum([(points @ h[:, :3].T + h[:, 3]).max(axis=1) < -1e-6 for h in hulls], axis=0)
    assert (inside >= 2).sum() <= 0.04 * (inside >= 1).sum()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_seen_lies_near_what_collides(name):
    seen = np.vstack([part.vertices for part in shape_of(name).parts])
    away = np.full(len(seen), np.inf)
    for piece in shape_of(name).pieces:
        planes = ConvexHull(piece).equations
        away = np.minimum(away, (seen @ planes[:, :3].T + planes[:, 3]).max(axis=1))
    assert away.max() < 0.003


@pytest.mark.parametrize("name", NAMES)
def test_surfaces_face_outwards(name):
    for part in shape_of(name).parts:
        assert trimesh.Trimesh(part.vertices, part.triangles, process=False).volume > 0
        _, triangles, normals, _ = part.shaded()
        assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
        along = np.einsum("ij,ij->i", normals[triangles[:, 0]], part.flat_normals())
        assert (along > 0).all()


@pytest.mark.parametrize(
    ("name", "hollow", "solid"),
    [
        ("ramekin", (0, 0, 0.01), (0.053, 0, 0.02)),
        ("small_plate", (0, 0, 0.002), (0.0225, 0, 0.0035)),
        ("nut", (0, 0, 0), (0.014, 0, 0)),
        ("wheel", (0.02, 0.003, 0.016), (0.045, 0.003, 0.010)),
        ("sponge", (0.0335, 0, 0), (0.0335, 0.049, 0)),
        ("sink", (0.05, 0.07, FLOOR + 0.01), (0.131, 0, RIM - 0.01)),
        ("sink", (0.035, -0.105, BASKET_FLOOR + 0.01), (0.035, -0.105, BASKET_FLOOR - 0.001)),
        ("spoon", (0.045, 0, -0.004), (0.045, 0, -0.0115)),
        ("spoon", (0.0, 0, -0.005), (0.005, 0, 0.0104)),
    ],
)
def test_hollows_are_hollow(name, hollow, solid):
    assert not is_within(name, hollow)
    assert is_within(name, solid)


@pytest.mark.parametrize(("name", "turn"), DROPPED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_dropped_comes_to_rest_where_and_as_the_layout_says(name, turn):
    scene = table()
    thing = Thing(scene, name)
    thing.put([-0.16, 0.05, TOP + 0.5], turn)
    settle(scene, thing)
    x, y, z, *now = thing.pose()
    assert np.hypot(x + 0.16, y - 0.05) < (0.015 if name in ROLLERS else 0.005)
    turned = rotation_from_quaternion(turn)
    up = turned.inv().apply([0, 0, 1])
    assert np.degrees(np.arccos(min(1, rotation_from_quaternion(now).apply(up)[2]))) < 3
    low = turned.apply(object_kind(name).bounds)[:, 2].min()
    assert abs(z + low - TOP) < 1.5e-3
    assert np.linalg.norm(thing.body.linear_velocity) < 1e-3


def moment(scene: sapien.Scene, number: int, things: list[Thing]) -> Moment:
    touching = contacts(scene.physx_system, things)
    return Moment(
        step=number,
        ee=(0.0, 0.0, 2.0),
        objects={
            thing.name: ObjectMoment(
                pose=tuple(thing.pose()), centre=tuple(thing.centre()), contacts=touching[thing.name]
            )
            for thing in things
        },
    )


@pytest.mark.parametrize("task", KINDS.values(), ids=lambda task: task.id)
def test_a_source_that_is_let_go_of_over_the_middle_of_its_target_is_placed_by_both_rules(task):
    """Each way it may be turned; it also moved, since it lay elsewhere before."""
    for variant in range(len(task.orientations)):
        scene = table()
        things = [Thing(scene, drop.object) for drop in drops(task, variant)]
        for thing, drop in zip(things, drops(task, variant), strict=True):
            thing.put([*drop.xy, TOP + 0.5], drop.turn)
            thing.lock_tilt(True)
        step(scene, 0.5)
        for thing in things:
            thing.lock_tilt(False)
        step(scene, 0.5)
        moments = [moment(scene, 0, things)]
        source, target = things[:2]
        x, y, *_ = target.centre()
        turned = rotation_from_quaternion(source.pose()[3:])
        low = turned.apply(trimesh.bounds.corners(source.kind.bounds))[:, 2].min()
        shift = np.array(source.centre()) - source.pose()[:3]
        above = TOP + target.kind.size[2] + 0.005 - low
        source.body.entity.pose = sapien.Pose([x - shift[0], y - shift[1], above], source.pose()[3:])
        source.body.linear_velocity = source.body.angular_velocity = [0, 0, 0]
        source.body.wake_up()
        for k in range(1, 16):
            step(scene, 1 / CONTROL_HZ)
            moments.append(moment(scene, k, things))
        score = score_episode(task, moments)
        assert score.success and score.strict and score.moved_correct, score.reason


def test_contacts_name_what_touches_and_do_not_fall_asleep():
    scene = table()
    cube, other = Thing(scene, "green_cube"), Thing(scene, "yellow_cube")
    other.put([0, 0, TOP + 0.016])
    cube.put([0, 0, TOP + 0.047])
    step(scene, 4)
    touching = contacts(scene.physx_system, [cube, other])
    assert set(touching["green_cube"]) == {"yellow_cube"}
    assert set(touching["yellow_cube"]) == {"green_cube", TABLE}
    weight = cube.body.mass * 9.81 / PHYSICS_HZ
    assert touching["green_cube"]["yellow_cube"] == pytest.approx(weight, rel=0.05)
    assert touching["yellow_cube"][TABLE] == pytest.approx(2 * weight, rel=0.05)
    assert contacts(scene.physx_system, [cube, other], [other.body])["green_cube"] == {}


def test_the_sink_stays_where_it_stands():
    scene = table()
    basin = Thing(scene, "sink", fixed=True)
    basin.put([-0.16, 0.13, 0.88])
    eggplant = Thing(scene, "eggplant")
    eggplant.put([-0.105, 0.206, TOP + 0.5])
    settle(scene, eggplant)
    assert np.allclose(basin.pose(), [-0.16, 0.13, 0.88, 1, 0, 0, 0], atol=1e-6)
    x, y, *_ = eggplant.pose()
    assert np.hypot(x + 0.105, y - 0.206) < 0.015
    assert set(contacts(scene.physx_system, [eggplant])["eggplant"]) == {"sink"}


@pytest.mark.parametrize("variant", range(3))
def test_an_eggplant_that_is_let_go_of_over_the_basket_is_placed_by_both_rules(variant):
    task = suite().task("widowx_put_eggplant_in_basket")
    scene = table()
    basin = Thing(scene, "sink", fixed=True)
    basin.put(task.layout.fixture.position)
    eggplant, marker = things = [Thing(scene, drop.object) for drop in drops(task, variant)]
    for thing, drop in zip(things, drops(task, variant), strict=True):
        thing.put([*drop.xy, TOP + 0.5], drop.turn)
        settle(scene, thing)
    assert np.allclose(marker.pose()[:3], [-0.125, 0.025, 0.88 + BASKET_FLOOR + 0.001], atol=2e-3)
    moments = [moment(scene, 0, things)]
    eggplant.body.entity.pose = sapien.Pose([-0.115, 0.030, 1.01], eggplant.pose()[3:])
    eggplant.body.wake_up()
    for k in range(1, 16):
        step(scene, 1 / CONTROL_HZ)
        moments.append(moment(scene, k, things))
    score = score_episode(task, moments)
    assert score.success and score.strict, score.reason


def test_official_meshes_are_used_where_they_are_and_ours_elsewhere(tmp_path, monkeypatch):
    """Stand-ins: boxes of the carrot's size in ManiSkill's folders."""
    folder = tmp_path / official.MODELS / object_kind("carrot").official
    folder.mkdir(parents=True)
    stand_in = trimesh.creation.box(extents=object_kind("carrot").size)
    for file in (official.VISUALS[0], official.COLLISION):
        stand_in.export(folder / file)
    monkeypatch.setattr(official.official_model, "__defaults__", (tmp_path,))
    carrot = Thing(sapien.Scene(), "carrot", meshes="official")
    assert carrot.body.mass == pytest.approx(700 * np.prod(object_kind("carrot").size), rel=1e-3)
    assert Thing(sapien.Scene(), "nut", meshes="official").body.mass == Thing(sapien.Scene(), "nut").body.mass


def test_official_meshes_that_nobody_has_are_one_sentence(tmp_path):
    with pytest.raises(MissingPart, match="download_asset bridge_v2_real2sim"):
        official.official_model("carrot", tmp_path)
