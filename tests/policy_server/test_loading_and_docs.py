import re
import subprocess
import sys

import numpy as np
import pytest

from policy_server.client import connect
from policy_server.loading import load_policy
from tests.policy_server.samples import BRIEF, READY, observation
from tests.policy_server.served import ROOT, serving
from touchstone.errors import UsageError
from touchstone.geometry import Pose


def printed_policy() -> str:
    page = (ROOT / "docs" / "your-policy.md").read_text(encoding="utf-8")
    return re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]


def test_the_policy_in_the_docs_runs_as_printed(tmp_path):
    source = printed_policy()
    assert sum(bool(line.strip()) for line in source.splitlines()) <= 20
    (tmp_path / "my_policy.py").write_text(source, encoding="utf-8")
    with serving("my_policy:MyPolicy", folder=tmp_path) as (_, url):
        client = connect(url)
        assert client.contract.name == "my-policy"
        client.reset(BRIEF)
        height, gripper = READY.position[2], 1.0
        for k in range(20):
            commanded = Pose(np.array([0.3, 0.0, height]), READY.quaternion)
            chunk = client.infer(observation(k, commanded=commanded))
            height, gripper = height + chunk.actions[0, 2], chunk.gripper[0]
        assert height == pytest.approx(-0.04, abs=0.03) and gripper == 0.0
        client.close()


def test_the_client_in_the_protocol_runs_as_printed(tmp_path):
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    source = re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]
    assert sum(bool(line.strip()) for line in source.splitlines()) <= 40
    assert "touchstone" not in source and "policy_server" not in source
    (tmp_path / "client.py").write_text(source, encoding="utf-8")
    with serving("random") as (_, url):
        command = [sys.executable, "-I", tmp_path / "client.py", url]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.stdout.startswith("random target_delta (1, 6) in "), ran.stderr


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("no_such_module:Policy", "no module 'no_such_module'"),
        ("json:NoSuchClass", "no class 'NoSuchClass'"),
        ("json:loads", "could not be made"),
        ("collections:OrderedDict", "no `contract`"),
        ("a b:c", "my_module:MyPolicy"),
        ("missing_part:Policy", "needs 'not_installed_anywhere'"),
        ("broken:Policy", "SyntaxError"),
        ("half:Policy", "no method `reset`"),
    ],
)
def test_a_policy_that_cannot_be_loaded_is_one_sentence(name, what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    (tmp_path / "missing_part.py").write_text("import not_installed_anywhere\n")
    (tmp_path / "broken.py").write_text("def\n")
    (tmp_path / "half.py").write_text(
        "from touchstone.policy import PolicyContract\n"
        "class Policy:\n    contract = PolicyContract(name='half', version='1')\n    def infer(self, o): pass\n"
    )
    with pytest.raises(UsageError) as caught:
        load_policy(name)
    assert what in str(caught.value) and "\n" not in str(caught.value) and str(caught.value).endswith(".")
