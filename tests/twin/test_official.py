"""The maker's description of the WidowX, where ManiSkill's assets are at hand, and what is said otherwise."""

from xml.etree import ElementTree

import numpy as np
import pinocchio as pin
import pytest

from sim_twin import official
from touchstone.errors import MissingPart
from touchstone.robots.rm75 import ARM as RM75
from touchstone.robots.wx250s import ARM

OFFICIAL = official.official_urdf(ARM)
needs_official = pytest.mark.skipif(OFFICIAL is None, reason="ManiSkill's WidowX assets are not on this machine")


@needs_official
def test_forward_kinematics_agree_with_the_official_description():
    model = pin.buildModelFromUrdf(str(OFFICIAL))
    data = model.createData()
    frame = model.getFrameId("ee_gripper_link", pin.FrameType.BODY)
    draw = np.random.default_rng(0)
    names = [str(name) for name in model.names[1:]]
    for _ in range(1000):
        joints = draw.uniform(ARM.limits.lower, ARM.limits.upper)
        q = pin.neutral(model)
        for name, value in zip(ARM.joint_names, joints, strict=True):
            q[model.idx_qs[names.index(name) + 1]] = value
        pin.framesForwardKinematics(model, data, q)
        theirs, ours = data.oMf[frame], ARM.kinematics.link_pose(joints, "ee_gripper_link")
        assert np.abs(theirs.translation - ours.position).max() < 1e-6
        assert np.abs(theirs.rotation - ours.rotation().as_matrix()).max() < 1e-6


@needs_official
def test_only_what_is_seen_comes_from_the_official_description():
    dressed, own = (ElementTree.parse(path).getroot() for path in (official.dressed_urdf(ARM), ARM.urdf))
    for root in (dressed, own):
        for link in root.iter("link"):
            for visual in link.findall("visual"):
                link.remove(visual)
    assert ElementTree.tostring(dressed).split() == ElementTree.tostring(own).split()


def a_description(folder, mesh_there=True):
    folder.mkdir(parents=True)
    (folder / "wx250s.urdf").write_text(
        "<robot name='wx250s'><link name='wrist_link'><visual><geometry><mesh filename='meshes/wrist.obj'/></geometry>"
        "</visual></link></robot>"
    )
    if mesh_there:
        (folder / "meshes").mkdir()
        (folder / "meshes" / "wrist.obj").write_text("v 0 0 0")


def test_a_link_gets_the_official_visual_and_the_others_keep_ours(tmp_path, monkeypatch):
    monkeypatch.setattr(official, "ASSET_DIR", tmp_path)
    monkeypatch.setattr(official.tempfile, "gettempdir", lambda: str(tmp_path))
    a_description(tmp_path / "robots" / "widowx")
    links = {link.get("name"): link for link in ElementTree.parse(official.dressed_urdf(ARM)).iter("link")}
    (mesh,) = links["wrist_link"].iter("mesh")
    assert mesh.get("filename") == str(tmp_path / "robots/widowx/meshes/wrist.obj")
    assert len(links["wrist_link"].findall("collision")) == 1
    assert len(links["base_link"].findall("visual")) > 3


def test_missing_meshes_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(official, "ASSET_DIR", tmp_path)
    with pytest.raises(MissingPart, match="download_asset widowx250s"):
        official.dressed_urdf(ARM)
    with pytest.raises(MissingPart, match="no official meshes for the RealMan"):
        official.dressed_urdf(RM75)
    a_description(tmp_path / "robots" / "widowx", mesh_there=False)
    with pytest.raises(MissingPart, match="download the assets again"):
        official.dressed_urdf(ARM)
