"""A connection to stream-highlights over HTTP."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse

from local.stack.ports import HOST
from tests.support.drivers.event_stream import Follower

LIMIT_S = 10.0
PIECE = 64 * 1024


class StreamConnection:
    """A stream that has begun, which is read in the background; `follower` knows what has come."""

    def __init__(self, response: HTTPResponse) -> None:
        self.response = response
        self.follower = Follower()
        self._thread = threading.Thread(target=self._read)
        self._error: AssertionError | None = None
        self._thread.start()

    def until(self, condition: Callable[[Follower], bool], within_s: float = LIMIT_S) -> float:
        """Wait until a condition holds; return how many seconds that took."""
        began_at = time.monotonic()
        while not condition(self.follower):
            self._check()
            assert self._thread.is_alive(), f"it ended after {self.follower.events[-3:]}"
            assert time.monotonic() < began_at + within_s, "it did not come to hold"
            time.sleep(0.002)
        return time.monotonic() - began_at

    def until_named(self, name: str, within_s: float = LIMIT_S) -> float:
        """Wait until an event of this name has come."""
        return self.until(lambda follower: name in follower.names(), within_s)

    def until_end(self, within_s: float = LIMIT_S) -> str:
        """Wait for the end; return the reason that the last event gives, or nothing."""
        self._thread.join(within_s)
        assert not self._thread.is_alive(), "it did not end"
        self._check()
        last = self.follower.events[-1:]
        return str(last[0].data["reason"]) if last and last[0].name == "end" else ""

    def _check(self) -> None:
        if self._error:
            raise self._error

    def _read(self) -> None:
        with suppress(OSError, HTTPException, ValueError):  # the connection has been closed
            while piece := self.response.read1(PIECE):
                try:
                    self.follower.feed(piece)
                except AssertionError as error:
                    self._error = error


@contextmanager
def streaming(port: int, query: str = "", **headers: str) -> Iterator[StreamConnection]:
    """Connect to a stream during the block."""
    connection = HTTPConnection(HOST, port, timeout=60)
    connection.request("GET", f"/highlights/stream{query}", headers=headers)
    taken: socket.socket = connection.sock
    stream = StreamConnection(connection.getresponse())
    try:
        yield stream
    finally:
        with suppress(OSError):
            taken.shutdown(socket.SHUT_RDWR)
        stream.until_end()
        stream.response.close()
        connection.close()


def body_of(received: bytes) -> bytes:
    """Return as much of a chunked body as these bytes of a response contain."""
    _, _, rest = received.partition(b"\r\n\r\n")
    body = b""
    while (line := rest.partition(b"\r\n"))[1]:
        size = int(line[0], 16)
        body += line[2][:size]
        rest = line[2][size + 2 :]
    return body
