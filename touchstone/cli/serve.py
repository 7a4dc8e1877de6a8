"""`touchstone serve`, `server` and `keys`: a policy behind an address, and what can be asked of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True)
class Serve:
    """Host a policy for other processes and machines."""

    policy: str
    """a registered policy, module:Class, or a model's address such as lerobot:///checkpoints/act"""
    bind: str = "tcp://127.0.0.1:5555"
    """address to listen on: tcp (port 0 takes a free one), ipc:///tmp/policy, shm:///tmp/policy (arrays in shared
    memory), or openpi://127.0.0.1:8000 for openpi's clients"""
    also: tuple[str, ...] = ()
    """more policies that a client may load and swap in while the server runs"""
    key: Path | None = None
    """this server's .key_secret file (`touchstone keys new`), for any interface beyond loopback"""
    clients: Path | None = None
    """folder with the .key files of the clients that may connect"""
    metrics_port: int | None = None
    """tell Prometheus on http://127.0.0.1:PORT/metrics"""
    log: Literal["text", "json"] = "text"
    """lines for people, or one JSON object a line"""

    def run(self) -> int:
        from policy_server.loading import check_known
        from policy_server.server import serve

        for name in (self.policy, *self.also):
            check_known(name)
        if self.bind.startswith("openpi://"):
            return self._serve_openpi()
        return serve(
            (self.policy, *self.also),
            self.bind,
            key=self.key,
            clients=self.clients,
            metrics_port=self.metrics_port,
            log=self.log,
        )

    def _serve_openpi(self) -> int:
        from policy_server.dialects.openpi_server import serve_at
        from policy_server.loading import load_policy
        from touchstone.errors import UsageError

        for option in ("also", "key", "clients", "metrics_port"):
            if getattr(self, option) not in (None, ()):
                raise UsageError(
                    f"--{option.replace('_', '-')} does not go with openpi's protocol; bind to a tcp:// address for it."
                )
        return serve_at(load_policy(self.policy), self.bind)


@dataclass(frozen=True)
class Server:
    """Ask a running policy server how it does, what it counts and can serve; load another policy and swap it in."""

    question: Annotated[Literal["health", "metrics", "list", "load", "swap"], tyro.conf.Positional]
    """health, metrics (Prometheus' text), list, load NAME, swap NAME"""
    address: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="ADDRESS")]
    """of the server, such as tcp://127.0.0.1:5555"""
    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="[NAME]")] = ""
    """the policy to load or to swap in"""

    def run(self) -> int:
        import json

        import msgspec

        from policy_server.console import Console
        from policy_server.requests import MEET_S, Requests
        from touchstone.errors import UsageError

        if (self.question in ("load", "swap")) != bool(self.name):
            raise UsageError(f"Write `touchstone server {self.question} ADDRESS{'' if self.name else ' NAME'}`.")
        requests = Requests(self.address)
        try:
            requests.meet(time.monotonic() + MEET_S)
            console = Console(requests)
            if self.question == "metrics":
                print(console.metrics(), end="")
            elif self.question == "list":
                print(json.dumps(msgspec.to_builtins(console.policies()), indent=2))
            else:
                answer = console.health() if self.question == "health" else getattr(console, self.question)(self.name)
                print(json.dumps(msgspec.to_builtins(answer), indent=2))
        finally:
            requests.close()
        return 0


@dataclass(frozen=True)
class Keys:
    """Make a pair of keys for an encrypted link: NAME.key to hand out, NAME.key_secret to keep."""

    action: Annotated[Literal["new"], tyro.conf.Positional]
    """new"""
    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """of the machine, such as laptop or gpu-box"""
    out: Path = Path("keys")
    """folder for the two files"""

    def run(self) -> int:
        from policy_server.keys import new_pair

        public, secret = new_pair(self.name, self.out)
        print(f"{secret} stays on this machine; copy {public} to the other side (docs/serving.md).")
        return 0
