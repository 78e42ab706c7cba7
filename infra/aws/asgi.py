"""Calls an ASGI app without a server, on one event loop for the life of the process."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Scope

from functions.shared.concurrency import pending_work

Header = tuple[bytes, bytes]

DRAIN_TIMEOUT_S = 1.0


class AppRequest(NamedTuple):
    """A request to the app; the names of its headers are in lower case."""

    method: str
    path: str
    headers: Sequence[Header] = ()
    body: bytes = b""
    query: bytes = b""
    client: str = ""


class AppResponse(NamedTuple):
    """A response of the app."""

    status: int
    headers: Sequence[Header]
    body: bytes


class AppRunner:
    """Sends requests to an app, one after another.

    All are on the same event loop, so that the pools and producers of the first request serve the
    later ones. The loop stands still between requests, since Lambda freezes the process; so each
    request also waits for the work that is pending after its response.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()

    def request(self, request: AppRequest) -> AppResponse:
        """Return the app's response; raises what the app raises."""
        return self._loop.run_until_complete(self._request(request))

    def close(self) -> None:
        """Close the event loop."""
        self._loop.close()

    async def _request(self, request: AppRequest) -> AppResponse:
        exchange = _Exchange(request.body)
        await self._app(_scope(request), exchange.receive, exchange.send)
        await pending_work.drain(DRAIN_TIMEOUT_S)
        return exchange.response()


class _Exchange:
    """The `receive` and `send` of one request."""

    def __init__(self, body: bytes) -> None:
        self._request: Message | None = {"type": "http.request", "body": body}
        self._is_complete = asyncio.Event()
        self._start: Message = {}
        self._body = bytearray()

    async def receive(self) -> Message:
        request, self._request = self._request, None
        if request is None:
            await self._is_complete.wait()
        return request or {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                self._is_complete.set()

    def response(self) -> AppResponse:
        headers = [(bytes(name), bytes(value)) for name, value in self._start.get("headers", ())]
        return AppResponse(self._start["status"], headers, bytes(self._body))


def _scope(request: AppRequest) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "https",
        "method": request.method,
        "path": request.path,
        "raw_path": None,
        "root_path": "",
        "query_string": request.query,
        "headers": list(request.headers),
        "client": (request.client, 0) if request.client else None,
        "server": None,
    }
