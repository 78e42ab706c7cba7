"""A load of HTTP requests from a process of its own, with as little work a request as can be."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

WARM_UP_S = 0.5


@dataclass(frozen=True)
class Load:
    """The same request again and again, over so many connections, for so many seconds."""

    url: str
    connections: int
    seconds: float
    body: str = ""

    def request(self) -> bytes:
        """The request's bytes."""
        parts = urlsplit(self.url)
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        body = self.body.encode()
        lines = [
            f"{'POST' if body else 'GET'} {target} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def run(self) -> float:
        """Requests a second.

        Raises:
            RuntimeError: nothing was answered, or an answer had a status of 400 or more.
        """
        command = [sys.executable, "-m", "tests.benchmarks.load", json.dumps(vars(self))]
        root = Path(__file__).parents[2]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
        outcome = json.loads(done.stdout)
        if not outcome["rate"] or any(int(status) >= 400 for status in outcome["statuses"]):
            raise RuntimeError(f"{self.url} answered {outcome['statuses']}")
        return float(outcome["rate"])


class _Connection(asyncio.Protocol):
    """Sends the request, waits for the whole answer, and begins again."""

    def __init__(self, request: bytes, statuses: Counter[str]) -> None:
        self._request = request
        self._statuses = statuses
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
        if len(body) >= length:
            self._statuses[head[9:12].decode()] += 1
            self._received = body[length:]
            self._transport.write(self._request)


async def _measure(load: Load) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    parts = urlsplit(load.url)
    statuses: Counter[str] = Counter()
    for _ in range(load.connections):
        await loop.create_connection(
            lambda: _Connection(load.request(), statuses), parts.hostname or "", parts.port or 80
        )
    await asyncio.sleep(WARM_UP_S)
    before, began = statuses.total(), time.perf_counter()
    await asyncio.sleep(load.seconds)
    rate = (statuses.total() - before) / (time.perf_counter() - began)
    return {"rate": rate, "statuses": statuses}


if __name__ == "__main__":
    measured = uvloop.run(_measure(Load(**json.loads(sys.argv[1]))))
    sys.stdout.write(json.dumps(measured))
