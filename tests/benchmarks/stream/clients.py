"""Clients of one stream of server-sent events, all in a process of their own, at little cost.

Each frame is parsed once, however many clients it came to.
"""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import NamedTemporaryFile
from typing import cast
from urllib.parse import urlsplit

import orjson
import uvloop

from local.stack import ROOT

AT_ONCE = 50  # connections that are opened together
LIMIT_S = 60


@dataclass(frozen=True)
class Received:
    """The data of all different events, and each client's: their numbers, and when they came.

    Times are those of `time.perf_counter`, which all processes of a machine share. `busy` is the
    part of a processor that the clients used.
    """

    data: Sequence[str]
    numbers: Sequence[Sequence[int]]
    times: Sequence[Sequence[float]]
    busy: float


class Clients:
    """Clients that are connected to a stream, and up to date."""

    def __init__(self, process: "Popen[bytes]", result: Path) -> None:
        self._process = process
        self._result = result

    def receive(self, count: int) -> Received:
        """Wait until each client has so many events; return them, also if some lack events."""
        self._process.communicate(b"%d\n" % count, timeout=2 * LIMIT_S)
        return Received(**orjson.loads(self._result.read_bytes()))


@contextmanager
def connected(url: str, count: int) -> Iterator[Clients]:
    """Connect so many clients, and wait until each has its event `ready`."""
    module = "tests.benchmarks.stream.clients"
    with (
        NamedTemporaryFile() as result,
        Popen(
            [sys.executable, "-m", module, url, str(count), result.name],
            cwd=ROOT,
            stdin=PIPE,
            stdout=PIPE,
        ) as process,
    ):
        try:
            if process.stdout is None or process.stdout.readline() != b"ready\n":
                raise RuntimeError(f"the clients of {url} were not served")
            yield Clients(process, Path(result.name))
        finally:
            process.kill()


class _Frames:
    """The different frames of a stream, by number."""

    def __init__(self) -> None:
        self.data: list[str] = []
        self._numbers: dict[bytes, int | None] = {}

    def number(self, frame: bytes) -> int | None:
        """Return the number of a highlight's data; None if the frame has none."""
        if frame not in self._numbers:
            fields = dict(line.partition(": ")[::2] for line in frame.decode().splitlines())
            is_highlight = fields.get("event") == "highlight"
            self._numbers[frame] = len(self.data) if is_highlight else None
            self.data += [fields["data"]] if is_highlight else []
        return self._numbers[frame]


class ResponseParser:
    """Takes the bytes of one chunked response, and returns the frames in it."""

    def __init__(self) -> None:
        self._received = self._text = b""
        self._is_open = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames that these bytes complete.

        Raises:
            RuntimeError: the response is no stream.
        """
        self._received += data
        if not self._is_open:
            head, found, rest = self._received.partition(b"\r\n\r\n")
            if not found:
                return []
            if not head.startswith(b"HTTP/1.1 200") or b"chunked" not in head.lower():
                raise RuntimeError(head.decode())
            self._is_open, self._received = True, rest
        self._unchunk()
        *frames, self._text = self._text.split(b"\n\n")
        return frames

    def _unchunk(self) -> None:
        while self._received:
            size, found, rest = self._received.partition(b"\r\n")
            length = int(size, 16) if found else sys.maxsize
            if len(rest) < length + 2:
                return
            self._text += rest[:length]
            self._received = rest[length + 2 :]


class _Client(asyncio.Protocol):
    """Notes each event, and when it came."""

    def __init__(self, request: bytes, frames: _Frames) -> None:
        self._request = request
        self._frames = frames
        self._parser = ResponseParser()
        self.is_ready = asyncio.Event()
        self.numbers: list[int] = []
        self.times: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._request)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        for frame in self._parser.feed(data):
            if frame.startswith(b"event: ready"):
                self.is_ready.set()
            elif (number := self._frames.number(frame)) is not None:
                self.numbers.append(number)
                self.times.append(now)


async def _receive(url: str, count: int) -> Received:
    loop, parts, frames = asyncio.get_running_loop(), urlsplit(url), _Frames()
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    clients: list[_Client] = []
    while len(clients) < count:
        opened = [
            loop.create_connection(
                lambda: _Client(request, frames), parts.hostname or "", parts.port or 80
            )
            for _ in range(min(AT_ONCE, count - len(clients)))
        ]
        clients += [client for _, client in await asyncio.gather(*opened)]
    async with asyncio.timeout(LIMIT_S):
        for client in clients:
            await client.is_ready.wait()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    began, cpu_s = time.perf_counter(), time.process_time()
    expected = int(await asyncio.to_thread(sys.stdin.readline))
    deadline = time.perf_counter() + LIMIT_S
    while min(len(each.numbers) for each in clients) < expected and time.perf_counter() < deadline:
        await asyncio.sleep(0.05)
    busy = (time.process_time() - cpu_s) / (time.perf_counter() - began)
    numbers, times = ([getattr(each, name) for each in clients] for name in ("numbers", "times"))
    return Received(frames.data, numbers, times, busy)


if __name__ == "__main__":
    received = uvloop.run(_receive(sys.argv[1], int(sys.argv[2])))
    Path(sys.argv[3]).write_bytes(orjson.dumps(received))
