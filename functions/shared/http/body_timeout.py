"""A time limit for request bodies, and responses that do not wait for a body's end."""

import asyncio
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.shared.http.problems import Problem

# Closing a socket that has unread bytes resets the connection, which may overtake the response.
LINGER_S = 1.0


class BodyTimeout:
    """ASGI middleware that lets a request body arrive within `timeout_s` seconds.

    A body that is late raises a Problem (408) where the application reads it. A response that
    begins before the body has been read to its end has `Connection: close`, and the server closes
    the connection after it: what follows may be the rest of the body, not a request.
    """

    def __init__(self, app: ASGIApp, timeout_s: float) -> None:
        self._app = app
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http" and has_body(scope["headers"]):
            exchange = _Exchange(receive, send, self._timeout_s)
            receive, send = exchange.receive, exchange.send
        await self._app(scope, receive, send)


def has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a request with these headers, their names in lower case, has a body."""
    return any(
        (name == b"content-length" and value.strip(b" \t0")) or name == b"transfer-encoding"
        for name, value in headers
    )


class _Exchange:
    """A request with a body, and its response."""

    def __init__(self, receive: Receive, send: Send, timeout_s: float) -> None:
        self._receive = receive
        self._send = send
        self._timeout_s = timeout_s
        self._deadline = asyncio.get_running_loop().time() + timeout_s
        self._is_body_read = False
        self._is_early_response = False

    async def receive(self) -> Message:
        if self._is_body_read:  # the application waits for the client to disconnect
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._receive_body()
        except TimeoutError:
            detail = f"The body did not arrive within {self._timeout_s:g} seconds."
            raise Problem(408, detail) from None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._is_early_response = not self._is_body_read
            if self._is_early_response:
                headers = [*message.get("headers", ()), (b"connection", b"close")]
                message = {**message, "headers": headers}
        elif self._is_early_response and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body"}
        await self._send(message)

    async def _receive_body(self) -> Message:
        message = await self._receive()
        is_last = message["type"] == "http.disconnect" or not message.get("more_body", False)
        self._is_body_read = is_last
        return message

    async def _linger(self) -> None:
        """Read on for a moment, so that the client has the response before the connection ends."""
        try:
            async with asyncio.timeout(LINGER_S):
                while not self._is_body_read:
                    await self._receive_body()
        except TimeoutError:
            pass
