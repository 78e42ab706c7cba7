"""Calls an ASGI app without a server, on one event loop that lives as long as the process."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Scope

from functions.shared.concurrency import pending_work

Header = tuple[bytes, bytes]

DRAIN_TIMEOUT_S = 1.0


class Call(NamedTuple):
    """A request for the app; the names of its headers are in lower case."""

    method: str
    path: str
    headers: Sequence[Header] = ()
    body: bytes = b""
    query: bytes = b""
    client: str = ""


class Answer(NamedTuple):
    """What the app answers."""

    status: int
    headers: Sequence[Header]
    body: bytes


class Host:
    """Runs an app's calls one after another.

    What an app makes at its first call, pools and producers, serves the later ones too, since all
    of them are on the same event loop. It stands still between calls, as the process does on
    Lambda, so a call also waits for the work that its answer leaves pending.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()

    def call(self, call: Call) -> Answer:
        """The app's answer; raises what the app raises."""
        return self._loop.run_until_complete(self._answer(call))

    def close(self) -> None:
        """Take no more calls."""
        self._loop.close()

    async def _answer(self, call: Call) -> Answer:
        exchange = _Exchange(call.body)
        await self._app(_scope(call), exchange.receive, exchange.send)
        await pending_work.drain(DRAIN_TIMEOUT_S)
        return exchange.answer()


class _Exchange:
    """The two ends of one call."""

    def __init__(self, body: bytes) -> None:
        self._request: Message | None = {"type": "http.request", "body": body}
        self._is_answered = asyncio.Event()
        self._start: Message = {}
        self._body = bytearray()

    async def receive(self) -> Message:
        request, self._request = self._request, None
        if request is None:
            await self._is_answered.wait()
        return request or {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                self._is_answered.set()

    def answer(self) -> Answer:
        headers = [(bytes(name), bytes(value)) for name, value in self._start.get("headers", ())]
        return Answer(self._start["status"], headers, bytes(self._body))


def _scope(call: Call) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "https",
        "method": call.method,
        "path": call.path,
        "raw_path": None,
        "root_path": "",
        "query_string": call.query,
        "headers": list(call.headers),
        "client": (call.client, 0) if call.client else None,
        "server": None,
    }
