"""One description of the stack; the supervisor and the launch file start the same processes from it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from xml.etree import ElementTree

import pytest
import rclpy
from eval import children
from eval.domains import own_domain
from eval.stack import LEADER, describe
from eval.supervisor import command_line

from tests.ros.runs import command_of, wait_until
from touchstone.errors import UsageError
from touchstone.evaluation.config import SessionConfig

CONFIG = SessionConfig(
    task="touch-emoji",
    world="twin-ros",
    robot="wx250s",
    policy="card-matcher",
    protocol="hard",
    seed=7,
    trials=3,
)


def test_a_named_policy_is_served_where_the_policy_node_asks(tmp_path):
    stack = describe(CONFIG, tmp_path, 5, tmp_path)
    (server,) = stack.programs
    parameters = {node.name: node.parameters for node in stack.nodes}
    assert parameters["policy_node"]["address"] == server.arguments[-1]
    assert {"serve", "card-matcher"} <= set(server.arguments)
    assert parameters[LEADER]["seed"] == 7 and parameters[LEADER]["out"] == str(tmp_path)


def test_an_address_is_asked_and_nothing_is_served(tmp_path):
    stack = describe(CONFIG.model_copy(update={"policy": "tcp://127.0.0.1:5555"}), tmp_path, 5, tmp_path)
    assert stack.programs == ()
    (policy,) = [node for node in stack.nodes if node.name == "policy_node"]
    assert policy.parameters["address"] == "tcp://127.0.0.1:5555"


def test_every_executable_of_the_stack_is_installed(tmp_path):
    scripts = {
        (point.dist.name.replace("-", "_"), point.name): point.value for point in entry_points(group="console_scripts")
    }
    for node in describe(CONFIG, tmp_path, 5, tmp_path).nodes:
        assert scripts[node.package, node.executable] == f"{node.module}:main"


def test_parameters_reach_a_node_with_their_type(tmp_path):
    awkward = {"policy": "1e5", "task": 'a "b" c', "protocol": "true", "seed": 3, "trials": 4, "out": "häß lich"}
    (episodes,) = [node for node in describe(CONFIG, tmp_path, 5, tmp_path).nodes if node.name == LEADER]
    episodes.parameters.update(awkward)
    context = rclpy.Context()
    rclpy.init(args=command_line(episodes), context=context, domain_id=0)
    try:
        node = rclpy.create_node("episode_node", context=context)
        for name, value in awkward.items():
            assert node.declare_parameter(name, type(value)()).value == value
        node.destroy_node()
    finally:
        context.try_shutdown()


def test_every_process_gets_the_profile_with_room_for_pictures(tmp_path):
    environment = describe(CONFIG, tmp_path, 5, tmp_path).environment
    profile = ElementTree.parse(environment["FASTDDS_DEFAULT_PROFILES_FILE"])
    names = {"{http://www.eprosima.com}" + tag for tag in ("segment_size", "maxMessageSize")}
    sizes = [int(element.text) for element in profile.iter() if element.tag in names]
    assert min(sizes) > 640 * 480 * 3
    assert environment["ROS_DOMAIN_ID"] == "5"


def test_two_runs_at_once_get_two_domains_and_the_users_own_is_kept():
    with own_domain({}) as one, own_domain({}) as other:
        assert one != other
    with own_domain({"ROS_DOMAIN_ID": "42"}) as chosen:
        assert chosen == 42


@pytest.mark.parametrize("text", ["-1", "233", "seven", "1.0"])
def test_a_domain_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="ROS_DOMAIN_ID"), own_domain({"ROS_DOMAIN_ID": text}):
        pass


def test_a_process_that_ignores_ctrl_c_is_stopped_for_certain_with_what_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "GRACE", 0.5)
    script = "trap '' INT; sleep 1000 & echo $! > pid; wait"
    child = children.start(
        "deaf", "deaf process", ["sh", "-c", f"cd {tmp_path}; {script}"], os.environ, tmp_path / "log"
    )
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip() != "")
    grandchild = int((tmp_path / "pid").read_text())
    assert children.stop([child]) is False
    assert child.code == -signal.SIGKILL
    wait_until(lambda: command_of(grandchild) == "")


def test_a_child_dies_with_its_parent(tmp_path):
    program = (
        "import os, sys; from pathlib import Path; from eval.children import start\n"
        "child = start('c', 'child', ['sleep', '1000'], os.environ, Path(sys.argv[1]) / 'log')\n"
        "print(child.process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    wait_until(lambda: command_of(int(ended.stdout)) == "")


def test_only_the_last_line_of_this_run_is_the_complaint(tmp_path):
    log = tmp_path / "log"
    log.write_text("touchstone: an old story.\n")
    silent = children.start("s", "silent", ["true"], os.environ, log)
    silent.process.wait()
    assert silent.complaint() == ""
    loud = children.start("l", "loud", ["sh", "-c", "echo one >&2; echo two.; echo"], os.environ, log)
    loud.process.wait()
    assert loud.complaint() == "two."


def test_the_launch_file_starts_the_same_stack(tmp_path):
    launch = pytest.importorskip("launch")
    pytest.importorskip("launch_ros")
    from launch.actions import ExecuteProcess
    from launch.launch_description_sources import get_launch_description_from_python_launch_file
    from launch_ros.actions import Node

    path = Path(__file__).resolve().parents[2] / "launch" / "touch_emoji.launch.py"
    context = launch.LaunchContext()
    context.launch_configurations.update({"out": str(tmp_path), "policy": CONFIG.policy, "trials": "3"})
    entities = list(get_launch_description_from_python_launch_file(str(path)).entities)
    started = []
    while entities:
        entity = entities.pop(0)
        if isinstance(entity, ExecuteProcess):
            started.append(entity)
        elif not isinstance(entity, launch.actions.RegisterEventHandler):
            entities += entity.execute(context) or []
    stack = describe(CONFIG, tmp_path, 5, tmp_path)
    nodes = [entity for entity in started if isinstance(entity, Node)]
    assert [node.node_executable for node in nodes] == [node.executable for node in stack.nodes]
    assert len(started) - len(nodes) == len(stack.programs)
