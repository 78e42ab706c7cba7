"""Request bodies that come late, and answers that do not wait for a body's end."""

import asyncio
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.shared.http.problems import Problem

# Closing a socket that holds unread bytes resets the connection, which may overtake the answer.
LINGER_S = 1.0


class BodyGuard:
    """An ASGI application whose request bodies arrive within `timeout_s` seconds.

    A body that does not raises a Problem (408) where the application reads it. An answer that is
    given before the body has been read to its end says `Connection: close`, and the server closes
    the connection after it: what comes next may be the rest of the body, not a request.
    """

    def __init__(self, app: ASGIApp, timeout_s: float) -> None:
        self._app = app
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http" and announces_body(scope["headers"]):
            exchange = _Exchange(receive, send, self._timeout_s)
            receive, send = exchange.receive, exchange.send
        await self._app(scope, receive, send)


def announces_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request with these headers, their names in lower case, has a body."""
    return any(
        (name == b"content-length" and value.strip(b" \t0")) or name == b"transfer-encoding"
        for name, value in headers
    )


class _Exchange:
    """One request with a body, and its answer."""

    def __init__(self, receive: Receive, send: Send, timeout_s: float) -> None:
        self._receive = receive
        self._send = send
        self._timeout_s = timeout_s
        self._deadline = asyncio.get_running_loop().time() + timeout_s
        self._is_read = False
        self._is_early = False

    async def receive(self) -> Message:
        if self._is_read:  # whoever still listens waits for the client to disconnect
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._next()
        except TimeoutError:
            detail = f"The body did not arrive within {self._timeout_s:g} seconds."
            raise Problem(408, detail) from None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._is_early = not self._is_read
            if self._is_early:
                headers = [*message.get("headers", ()), (b"connection", b"close")]
                message = {**message, "headers": headers}
        elif self._is_early and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body"}
        await self._send(message)

    async def _next(self) -> Message:
        message = await self._receive()
        self._is_read = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def _linger(self) -> None:
        """Read on for a moment, so that the client has the answer before the connection ends."""
        try:
            async with asyncio.timeout(LINGER_S):
                while not self._is_read:
                    await self._next()
        except TimeoutError:
            pass
