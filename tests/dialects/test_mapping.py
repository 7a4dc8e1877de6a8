"""Mappings and the addresses that name them: what is complete is taken, what is not is refused in one sentence."""

import copy
import re
from pathlib import Path

import pytest
import yaml

from policy_server.dialects.address import parse_address
from policy_server.dialects.mapping import Mapping, load_mapping, names
from policy_server.dialects.parts import PARTS
from touchstone.errors import ContractMismatch, UsageError
from touchstone.policy import check_fit
from touchstone.world import WorldOffer

BUILT_IN = [(dialect, name) for dialect in ("openpi", "groot", "vla-eval") for name in names(dialect)]
GOOD = {
    "images": [{"key": "image", "width": 8, "height": 6}],
    "state": [{"key": "state", "parts": ["ee_position", "joint_position[5]"]}],
    "actions": {
        "width": 7,
        "kind": "target_delta",
        "position": [0, 1, 2],
        "rotation": {"columns": [3, 4, 5], "format": "euler_xyz"},
        "gripper": {"column": 6, "closed": -1, "open": 1},
    },
    "chunk_length": 10,
    "execute": 5,
}


def offer(robot: str) -> WorldOffer:
    return WorldOffer(
        robot=robot,
        plant="twin",
        path="inproc",
        cameras={"scene": (640, 480)},
        joint_names=("a",),
        action_kinds=("target_delta", "align2", "ee_abs", "joint_abs", "joint_delta"),
        privileged=True,
    )


@pytest.mark.parametrize(("dialect", "name"), BUILT_IN)
def test_a_built_in_says_where_it_comes_from_and_declares_a_whole_contract(dialect, name):
    mapping = load_mapping(dialect, name)
    contract = mapping.contract(dialect, name)
    assert len(mapping.source) > 20
    assert contract.cameras and contract.state and contract.name == f"{dialect}:{name}"
    check_fit(contract, offer((contract.embodiments or ("wx250s",))[0]), contract.rate_hz or 5.0)


def test_a_contract_changes_its_version_with_its_mapping():
    one = Mapping.model_validate(GOOD)
    other = one.model_copy(update={"execute": 4})
    assert one.contract("openpi", "x").version != other.contract("openpi", "x").version


def test_a_misfit_is_found_when_policy_and_world_meet():
    droid = load_mapping("openpi", "droid").contract("openpi", "droid")
    with pytest.raises(ContractMismatch, match="drives rm75, not wx250s"):
        check_fit(droid, offer("wx250s"), 15.0)
    with pytest.raises(ContractMismatch, match="made for 15 Hz and the task runs at 5 Hz"):
        check_fit(droid, offer("rm75"), 5.0)


def changed(path: str, value) -> dict:
    fields = copy.deepcopy(GOOD)
    *where, last = path.split(".")
    inner = fields
    for step in where:
        inner = inner[int(step)] if isinstance(inner, list) else inner[step]
    inner[last] = value
    return fields


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (changed("execute", 11), "execute is 11 of a chunk_length of 10"),
        (changed("execute", 0), "execute"),
        (changed("rate_hz", -1), "rate_hz"),
        (changed("prompt_template", "do it"), "hold {instruction} once"),
        (changed("prompt_key", "image"), "two entries have the same key"),
        (changed("no_such_field", 1), "no_such_field"),
        (changed("state.0.parts", ["ee_colour"]), "no state part 'ee_colour'"),
        (changed("state.0.parts", ["ee_position[3]"]), "has 3 numbers"),
        (changed("state.0.dtype", "object"), "dtype"),
        (changed("images.0.width", 0), "width"),
        (changed("actions.kind", "joint_delta"), "need columns for joints"),
        (changed("actions.kind", "fly"), "actions.kind"),
        (changed("actions.position", [0, 1, 3]), "must differ"),
        (changed("actions.position", [0, 1, 7]), "lie in 0..6"),
        (changed("actions.rotation", {"columns": [3, 4, 5], "format": "quaternion_wxyz"}), "has 4 columns"),
        (changed("actions.position_scale", float("nan")), "position_scale"),
        (changed("actions.gripper", {"column": 6, "closed": 1, "open": 1}), "must differ"),
        ({}, "actions"),
    ],
)
def test_a_wrong_mapping_is_refused_in_one_sentence(tmp_path, fields, says):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(fields))
    with pytest.raises(UsageError) as caught:
        load_mapping("openpi", str(path))
    assert says in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["- a list", "a: [", "\x00", "just words", ""])
def test_what_is_no_mapping_is_refused(tmp_path, text):
    path = tmp_path / "mine.yml"
    path.write_text(text)
    with pytest.raises(UsageError):
        load_mapping("openpi", str(path))


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match=r"Unknown openpi mapping 'aloha'; choose one of: .*bridge.*droid.*libero"):
        load_mapping("openpi", "aloha")
    with pytest.raises(UsageError, match="No such file"):
        load_mapping("openpi", "not/there.yaml")
    with pytest.raises(UsageError, match="Unknown"):
        load_mapping("openpi", "../groot/widowx")


def test_an_address_names_a_mapping_and_may_set_what_differs_between_checkpoints(tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(GOOD))
    own = parse_address(f"openpi://127.0.0.1:8000?mapping={tmp_path}/mine.yaml", "openpi")
    assert own.mapping == Mapping.model_validate(GOOD)
    changed_here = parse_address("openpi://[::1]:8000?mapping=libero&execute=10&chunk_length=10&rate_hz=any", "openpi")
    assert (changed_here.mapping.execute, changed_here.mapping.chunk_length) == (10, 10)
    assert changed_here.mapping.rate_hz is None and changed_here.netloc == "[::1]:8000"
    served = parse_address("openpi://127.0.0.1:0?mapping=exact&task=pick-emoji", "openpi", "bind")
    assert served.mapping.task == "pick-emoji" and served.port == 0
    assert parse_address("groot://localhost:5555", "groot").mapping_name == "touchstone"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("openpi://192.168.0.2:8000", "not encrypted"),
        ("openpi://example.com:8000", "not encrypted"),
        ("openpi://127.0.0.1.example.com:8000", "not encrypted"),
        ("openpi://127.0.0.1", "write it like"),
        ("openpi://127.0.0.1:0", "name the port"),
        ("openpi://127.0.0.1:99999", "ort"),
        ("openpi://127.0.0.1:8000/path", "write it like"),
        ("openpi://user@127.0.0.1:8000", "write it like"),
        ("openpi://[::1:8000", "Cannot connect"),
        ("openpi://127.0.0.1:8000?mapping=libero&mapping=droid", "says something twice"),
        ("openpi://127.0.0.1:8000?camera=wrist", "sets 'camera'"),
        ("openpi://127.0.0.1:8000?libero", "illegible"),
        ("openpi://127.0.0.1:8000?execute=many", "execute"),
        ("openpi://127.0.0.1:8000?execute=51", "execute is 51"),
    ],
)
def test_a_wrong_address_is_refused_in_one_sentence(url, says):
    with pytest.raises(UsageError) as caught:
        parse_address(url, "openpi")
    assert says in str(caught.value) and "\n" not in str(caught.value)


PAGE = (Path(__file__).parents[2] / "docs/dialects.md").read_text()


def test_the_page_names_every_state_part_and_every_built_in():
    assert [part for part in PARTS if not part.startswith("commanded_") and f"`{part}`" not in PAGE] == []
    for dialect in ("openpi", "groot", "vla-eval"):
        section = PAGE[PAGE.index(f"| `{dialect}://` |") :]
        assert [name for name in names(dialect) if f"| `{name}` |" not in section] == []


def test_the_mapping_on_the_page_is_one(tmp_path):
    (tmp_path / "my.yaml").write_text(re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL).group(1))
    mapping = load_mapping("openpi", str(tmp_path / "my.yaml"))
    assert mapping.actions.gripper.open == -1 and mapping.images[1].camera is None
