"""openpi's client, as published: `python -m roundtrip.openpi_client PORT`."""

from __future__ import annotations

import sys

from openpi_client.websocket_client_policy import WebsocketClientPolicy

from roundtrip.lines import answer_lines
from roundtrip.payload import INSTRUCTION, OBSERVATIONS, check, pictures, state


def main(port: int) -> None:
    client = WebsocketClientPolicy("127.0.0.1", port)
    observations = [_observation(k) for k in range(OBSERVATIONS)]
    answer_lines(lambda k: client.infer(observations[k]), lambda k, answer: check(k, answer["actions"]), lambda: None)


def _observation(number: int) -> dict:
    seen = pictures(number)
    return {
        "observation/image": seen["scene"],
        "observation/wrist_image": seen["wrist"],
        "observation/state": state(number),
        "prompt": INSTRUCTION,
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
