"""A person beside a session that runs over ROS: the page that asks them, and their word to the arm."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from std_srvs.srv import SetBool, Trigger

from eval.link import Link
from touchstone.errors import TouchstoneError, WorldFailure
from touchstone.evaluation.attended import AttendedWorld, Look, Operator
from touchstone.evaluation.bench_page.operator import PageOperator
from touchstone.evaluation.bench_page.server import PageServer
from touchstone.evaluation.config import SessionConfig
from touchstone.spec import Spec
from touchstone.tasks.base import Verdict
from touchstone.vision.cards import Detection
from touchstone.world import CameraFrame, World

#: worlds with an arm_node
BENCHES = ("emulated", "real")
#: longest wait for an answer of arm_node [s]
ANSWER_S = 30.0


@contextmanager
def beside(world: World, config: SessionConfig, link: Link) -> Iterator[World]:
    """The world with the operator whom the session names; the world itself if it names none. Raises UsageError."""
    if config.operator is None:
        yield world
        return
    server = PageServer(config.operator_port)
    try:
        operator: Operator = PageOperator(config.operator, server)
        # to both, because one of them goes to a log: which one depends on who started this process
        for stream in (sys.stderr, sys.stdout):
            print(f"Beside the bench, open {server.url}", file=stream, flush=True)
        if config.world_name in BENCHES:
            arm = ArmServicesClient(link)
            yield AttendedWorld(world, ArmingOperator(operator, arm), arm.inhibit)
        else:
            yield AttendedWorld(world, operator)
    finally:
        server.close()


class ArmServicesClient:
    """What a session asks of arm_node beside its episodes."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._rearm = link.node.create_client(Trigger, "/arm_node/rearm")
        self._inhibit = link.node.create_client(SetBool, "/arm_node/inhibit")

    def rearm(self) -> None:
        """Torque on and the gate open. Raises WorldFailure with arm_node's reason against it."""
        self._ask(self._rearm, Trigger.Request())

    def inhibit(self, hands_in_bench: bool) -> None:
        """No motion while hands are in the bench. Raises WorldFailure."""
        self._ask(self._inhibit, SetBool.Request(data=hands_in_bench))

    def _ask(self, client, request) -> None:
        def gone() -> TouchstoneError:
            return WorldFailure(f"arm_node does not answer {client.srv_name}; check its log.")

        self._link.wait(lambda: client.service_is_ready() or None, ANSWER_S, gone)
        future = client.call_async(request)
        answer = self._link.wait(lambda: future.result() if future.done() else None, ANSWER_S, gone)
        if not answer.success:
            raise WorldFailure(answer.message)


class ArmingOperator:
    """An operator whose word that the bench is clear arms the arm, unless it is armed."""

    def __init__(self, operator: Operator, arm: ArmServicesClient) -> None:
        self.name = operator.name
        self._operator, self._arm = operator, arm

    def clear(self, spec: Spec) -> None:
        self._operator.clear(spec)
        self._arm.rearm()

    def place(self, spec: Spec, look: Look) -> Mapping[str, Detection | None]:
        return self._operator.place(spec, look)

    def label(self, spec: Spec, verdict: Verdict, last: CameraFrame) -> str | None:
        return self._operator.label(spec, verdict, last)
