"""vla-eval's own client: `python -m roundtrip.vla_eval_client PORT raw|png`; png is its default."""

from __future__ import annotations

import asyncio
import sys

from vla_eval.connection import Connection
from vla_eval.protocol.numpy_codec import set_image_format

from roundtrip.lines import answer_lines_async
from roundtrip.payload import INSTRUCTION, OBSERVATIONS, check, pictures, state


def main(port: int, image_format: str) -> None:
    set_image_format(image_format)
    link = Connection(f"ws://127.0.0.1:{port}")
    observations = [
        {"images": pictures(k), "state": state(k), "task_description": INSTRUCTION} for k in range(OBSERVATIONS)
    ]
    loop = asyncio.new_event_loop()
    loop.run_until_complete(link.connect())
    loop.run_until_complete(link.start_episode({"task": {}}))
    answer_lines_async(loop, lambda k: link.act(observations[k]), lambda k, answer: check(k, answer["actions"]))
    loop.run_until_complete(link.close())
    loop.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
