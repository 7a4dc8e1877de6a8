"""A server of openpi's websocket protocol: `python -m roundtrip.openpi_server [THINKING_S]`.

openpi's own server is not on PyPI; this one does what the public one does
(github.com/Physical-Intelligence/openpi, src/openpi/serving/websocket_policy_server.py): websockets' asyncio server
without compression or size limit, openpi_client's msgpack codec, the metadata first, then for each binary message one
answer with `server_timing`, the policy called in the event loop, one observation at a time.
"""

from __future__ import annotations

import asyncio
import sys
import time

from openpi_client import msgpack_numpy
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from roundtrip.payload import chunk_for


async def main(thinking_s: float) -> None:
    async def converse(link: ServerConnection) -> None:
        packer = msgpack_numpy.Packer()
        await link.send(packer.pack({"policy": "benchmark"}))
        try:
            while True:
                observation = msgpack_numpy.unpackb(await link.recv())
                began = time.monotonic()
                time.sleep(thinking_s)
                actions = chunk_for(observation["observation/image"], observation["observation/wrist_image"])
                answer = {"actions": actions, "server_timing": {"infer_ms": (time.monotonic() - began) * 1e3}}
                await link.send(packer.pack(answer))
        except ConnectionClosed:
            return

    async with serve(converse, "127.0.0.1", 0, compression=None, max_size=None) as server:
        print(f"serving openpi on {server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
