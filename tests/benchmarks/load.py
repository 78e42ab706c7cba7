"""A load of HTTP requests from its own process, with as little overhead as possible."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from statistics import median
from typing import cast
from urllib.parse import urlsplit

import uvloop

from local.stack import ROOT

WARM_UP_S = 0.5


@dataclass(frozen=True)
class Outcome:
    """The outcome of a load; `requests` includes the warm-up."""

    requests: int
    rate: float  # requests a second
    latency_ms: float  # the median
    busy: float  # of a processor, by the load itself


@dataclass(frozen=True)
class Load:
    """Repeated requests over some connections, for some seconds.

    Each connection has one of the targets, in turn, and sends nothing else.
    """

    url: str
    targets: Sequence[str]
    connections: int
    seconds: float
    body: str = ""

    def request(self, number: int) -> bytes:
        """The bytes of the request that a connection sends."""
        body = self.body.encode()
        lines = [
            f"{'POST' if body else 'GET'} {self.targets[number % len(self.targets)]} HTTP/1.1",
            f"Host: {urlsplit(self.url).netloc}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def run(self) -> Outcome:
        """Run the load in its process.

        Raises:
            RuntimeError: nothing was answered, or an answer had a status of 400 or more.
        """
        command = [sys.executable, "-m", "tests.benchmarks.load", json.dumps(asdict(self))]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        statuses, outcome = json.loads(done.stdout)
        if outcome is None or any(int(status) >= 400 for status in statuses):
            raise RuntimeError(f"{self.url} answered {statuses}")
        return Outcome(**outcome)


@dataclass
class _Answers:
    """The statuses, and the seconds that each answer took."""

    statuses: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)


class _Connection(asyncio.Protocol):
    """Sends the request, waits for the whole answer, and begins again."""

    def __init__(self, request: bytes, answers: _Answers) -> None:
        self._request = request
        self._answers = answers
        self._received = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
        if len(body) >= length:
            self._answers.delays.append(time.perf_counter() - self._sent)
            self._answers.statuses[head[9:12].decode()] += 1
            self._received = body[length:]
            self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)


async def _measure(load: Load) -> tuple[Counter[str], Outcome | None]:
    loop = asyncio.get_running_loop()
    parts = urlsplit(load.url)
    answers = _Answers()
    for number in range(load.connections):
        await loop.create_connection(
            partial(_Connection, load.request(number), answers),
            parts.hostname or "",
            parts.port or 80,
        )
    await asyncio.sleep(WARM_UP_S)
    before, began, cpu_s = len(answers.delays), time.perf_counter(), time.process_time()
    await asyncio.sleep(load.seconds)
    took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
    delays = answers.delays[before:]
    if not delays:
        return answers.statuses, None
    rate, latency_ms = len(delays) / took_s, median(delays) * 1000
    return answers.statuses, Outcome(len(answers.delays), rate, latency_ms, cpu_s / took_s)


if __name__ == "__main__":
    statuses, outcome = uvloop.run(_measure(Load(**json.loads(sys.argv[1]))))
    sys.stdout.write(json.dumps([statuses, outcome and asdict(outcome)]))
