"""vla-eval's own server around the same policy: `python -m roundtrip.vla_eval_server [THINKING_S] [MAX_BATCH]`."""

from __future__ import annotations

import sys
import time
from functools import partial

import anyio
from vla_eval.model_servers.predict import PredictModelServer
from vla_eval.model_servers.serve import serve_async

from roundtrip.payload import chunk_for


class Benchmark(PredictModelServer):
    """Answers at once, or after `thinking_s` for a batch of up to `max_batch`."""

    def __init__(self, thinking_s: float, max_batch: int):
        super().__init__(max_batch_size=max_batch)
        self._thinking_s = thinking_s

    def predict_batch(self, obs_batch: list[dict], ctx_batch: list) -> list[dict]:
        time.sleep(self._thinking_s)
        return [{"actions": chunk_for(obs["images"]["scene"], obs["images"]["wrist"])} for obs in obs_batch]


async def main(thinking_s: float, max_batch: int) -> None:
    async with anyio.create_task_group() as group:
        port = await group.start(partial(serve_async, Benchmark(thinking_s, max_batch), "127.0.0.1", 0))
        print(f"serving vla-eval on {port}", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    anyio.run(main, float(given[0]) if given else 0.0, int(given[1]) if given[1:] else 1)
