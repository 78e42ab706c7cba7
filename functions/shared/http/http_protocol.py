"""uvicorn's HTTP protocol, with the limits that uvicorn has no settings for."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from functions.shared.http.body_timeout import LINGER_S, BodyTimeout
from functions.shared.http.coalescing_transport import CoalescingTransport
from functions.shared.http.problems import Problem
from functions.shared.http.server_hooks import ABORT, announce_shutdown

HEADER_LIMIT = 16 * 1024

MALFORMED = Problem(400, "This is not a valid HTTP request.")
LATE = Problem(408, "The request did not arrive in time.")
TOO_LARGE = Problem(431, f"The header is larger than {HEADER_LIMIT // 1024} KiB.")


class LimitedHttpProtocol(HttpToolsProtocol):
    """Serves a connection, and refuses requests that are too large, late or malformed.

    A request's header is HEADER_LIMIT bytes at most and arrives within `header_timeout_s` seconds,
    its body within `body_timeout_s`; trailers and all else that is not body count as header. A
    refusal, in problem details, comes after the responses to earlier requests, and is the
    connection's last response.
    """

    def __init__(
        self, *args: Any, header_timeout_s: float, body_timeout_s: float, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._header_timeout_s = header_timeout_s
        self._limited_app = BodyTimeout(self.app, body_timeout_s)
        self._too_large_app = BodyTimeout(_app_that_refuses(TOO_LARGE), body_timeout_s)
        self._header_timer: asyncio.TimerHandle | None = None
        self._is_in_header = False
        self._non_body_size = 0  # bytes since the last part of a body or the last request
        self._refusal: Problem | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for the first request."""
        super().connection_made(CoalescingTransport(transport, self.loop))  # type: ignore[arg-type]
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting for requests."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data, unless a request has been refused."""
        if self._refusal is not None or self.transport.is_closing():
            return
        self._non_body_size += len(data)
        super().data_received(data)
        if self._non_body_size > HEADER_LIMIT and self._refusal is None:
            self._refuse(TOO_LARGE)
        if self._is_in_header or self._is_idle():
            self._start_timer()

    def on_message_begin(self) -> None:
        """Begin the header of a request."""
        super().on_message_begin()
        self._is_in_header = True
        self._non_body_size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header field, but no trailer, which could override what a proxy has set."""
        if self._is_in_header:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Serve the request, or refuse it for the size of its header."""
        self._is_in_header = False
        self._non_body_size = 0
        self._stop_timer()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        self.app = self._limited_app if size <= HEADER_LIMIT else self._too_large_app
        self.scope["state"][ABORT] = self.transport.abort
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Receive a part of the body."""
        self._non_body_size = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._non_body_size = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Serve the next request, or send the refusal after the last response."""
        is_last = not self.pipeline
        super().on_response_complete()
        if is_last and self._refusal is not None:
            self._send_last(self._refusal)

    def shutdown(self) -> None:
        """Close the connection, or have it closed after the response that is being sent."""
        super().shutdown()
        announce_shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn says the same of every error
        """Refuse a request that the parser cannot read."""
        self._refuse(MALFORMED)

    def _refuse(self, problem: Problem) -> None:
        self._refusal = problem
        self._stop_timer()
        self.flow.pause_reading()
        if self.pipeline and self.pipeline[0][0].more_body:
            self.pipeline.popleft()  # the refused bytes are its body
        elif self.cycle is not None and not self.pipeline and self.cycle.more_body:
            # The refused bytes belong to the request that is being served. Once its response has
            # begun, the client would take another response for that of its next request.
            if self.cycle.response_started:
                self.transport.close()
            else:
                self._send_last(problem)
            return
        if not self.pipeline and self._is_idle():
            self._send_last(problem)

    def _send_last(self, problem: Problem) -> None:
        """Send a last response, and read on for a moment, so that no reset overtakes it."""
        if self.transport.is_closing():
            return
        response = problem.response()
        head = [STATUS_LINE[problem.status], b"connection: close\r\n"]
        head += [b"%s: %s\r\n" % header for header in response.raw_headers]
        self.transport.write(b"".join([*head, b"\r\n", response.body]))
        self.transport.write_eof()
        self.flow.resume_reading()
        self._unset_keepalive_if_required()
        self.loop.call_later(LINGER_S, self.transport.close)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _start_timer(self) -> None:
        if self._header_timer is None and self._refusal is None:
            self._header_timer = self.loop.call_later(
                self._header_timeout_s, self._on_header_timeout
            )

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _on_header_timeout(self) -> None:
        self._header_timer = None
        if self.transport.is_closing():
            return
        if self._is_in_header:
            self._refuse(LATE)
        elif self._is_idle():
            self.transport.close()


def _app_that_refuses(problem: Problem) -> ASGIApp:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await problem.response()(scope, receive, send)

    return refuse
