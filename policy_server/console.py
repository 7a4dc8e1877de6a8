"""What an operator asks a policy server, answered also while its policy works or loads."""

from __future__ import annotations

from policy_server.bodies import HealthReply, ListReply, MetricsReply, PolicyState
from policy_server.codec import parse
from policy_server.requests import Requests


class Console:
    """Every question raises PolicyFailure, in one sentence, when it is refused or not answered within 2 s."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def health(self) -> HealthReply:
        """How the server does."""
        return parse(HealthReply, self._requests.aside("health"))

    def metrics(self) -> str:
        """The server's counters in Prometheus' text format."""
        return parse(MetricsReply, self._requests.aside("metrics")).text

    def policies(self) -> list[PolicyState]:
        """What the server may serve, and in which state each is."""
        return parse(ListReply, self._requests.aside("list")).policies

    def load(self, name: str) -> PolicyState:
        """Begins to load one of the server's policies beside the current one; `policies` tells when it is ready."""
        return parse(PolicyState, self._requests.aside("load", name=name))

    def swap(self, name: str) -> PolicyState:
        """Makes a loaded policy the current one, for all clients; their episodes under way end."""
        return parse(PolicyState, self._requests.aside("swap", name=name))
