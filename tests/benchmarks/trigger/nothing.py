"""A function that does nothing, so that mainly the trigger is measured.

As a program it serves on the port that it is given, and answers `{}` to whatever comes; each
answer takes the seconds that it is given.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen
from typing import cast

import uvloop

from local.stack import ROOT
from local.stack.connectivity import accepts
from local.stack.ports import HOST, free_port
from tests.support.waiting import eventually

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
LENGTH = b"content-length:"


@contextmanager
def nothing(takes_s: float = 0) -> Iterator[str]:
    """Run one in its own process; yield its URL."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.trigger.nothing", str(port), str(takes_s)]
    with Popen(command, cwd=ROOT) as process:
        try:
            eventually(lambda: accepts(port))
            yield f"http://{HOST}:{port}/"
        finally:
            process.terminate()


class _Connection(asyncio.Protocol):
    """Counts a request's bytes, and answers when the last one is there."""

    def __init__(self, takes_s: float) -> None:
        self._takes_s = takes_s
        self._head = b""
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._head, found, body = (self._head + data).partition(b"\r\n\r\n")
            if not found:
                return
            length = self._head.lower().partition(LENGTH)[2].partition(b"\r")[0]
            self._missing = int(length) - len(body)
            self._head = b""
        if not self._missing:
            self._answer()

    def _answer(self) -> None:
        if self._takes_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self._takes_s, self._transport.write, ANSWER)
        else:
            self._transport.write(ANSWER)


async def _serve(port: int, takes_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(takes_s), HOST, port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
