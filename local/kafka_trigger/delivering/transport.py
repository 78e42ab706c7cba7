"""One kept-alive HTTP connection to a function."""

import select
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from httptools import HttpParserError

from local.kafka_trigger.delivering.google_identity import IdentityTokens, NoIdentity
from local.kafka_trigger.delivering.response_reader import ResponseReader
from local.kafka_trigger.envelopes.payload import Payload

CONNECT_WITHIN_S = 5.0
AT_ONCE = 64 * 1024  # bytes read in one go
PORTS = {"http": 80, "https": 443}
UNKNOWN_CALLER = (401, 403)


class Unreachable(Exception):
    """No connection to the function came about, or its platform did not let us through."""


class Broken(Exception):
    """The function was reached, but did not answer in full or in time."""


class Aborted(Exception):
    """We have ended the post ourselves."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What a function answered."""

    status: int
    body: bytes
    retry_after: str | None = None


class HttpTransport:
    """Posts payloads to one function, one at a time.

    It is no general HTTP client: that costs more for a request than all else that a trigger does.
    With `tokens` each request says who sends it; one that is refused for that has not reached the
    function, and says nothing of its records.
    """

    def __init__(self, url: str, timeout_s: float, tokens: IdentityTokens | None = None) -> None:
        parts = urlsplit(url)
        self._place = (parts.hostname or "", parts.port or PORTS[parts.scheme])
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._timeout_s = timeout_s
        self._tokens = tokens
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = parts.netloc.rpartition("@")[2]
        self._head = f"POST {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: kafka-trigger\r\n"
        self._socket: socket.socket | None = None
        self._poll = select.poll()
        self._aborted = False

    def post(self, payload: Payload) -> HttpResponse:
        """Post a payload and read the answer.

        Raises Unreachable before, and Broken after the payload may have arrived; Aborted if
        `abort` is called, at whatever time.
        """
        request = self._request(payload)
        kept_alive = self._is_usable()
        reader = ResponseReader()
        try:
            self._exchange(request, self._connected(), reader)
        except (OSError, HttpParserError) as error:
            self.close()
            if self._aborted:
                raise Aborted from error
            if isinstance(error, TimeoutError):
                raise Broken(f"no answer within {self._timeout_s:g} s") from error
            if kept_alive and not reader.has_begun:
                return self.post(payload)  # the server may have closed it while it was idle
            raise Broken(f"the connection broke: {error!r}") from error
        if not reader.keeps_alive:
            self.close()
        if self._tokens and reader.status in UNKNOWN_CALLER:
            self._tokens.renew()
            raise Unreachable(
                f"HTTP {reader.status}: who we are is not enough to call the function"
            )
        return HttpResponse(reader.status, reader.body, reader.retry_after)

    def _exchange(self, request: bytes, connected: socket.socket, reader: ResponseReader) -> None:
        deadline = time.monotonic() + self._timeout_s
        connected.settimeout(self._timeout_s)
        connected.sendall(request)
        while not reader.is_complete:
            connected.settimeout(max(deadline - time.monotonic(), 0.001))
            if data := connected.recv(AT_ONCE):
                reader.feed(data)
            elif not reader.end():
                raise ConnectionError("it was closed before the end of the answer")

    def _request(self, payload: Payload) -> bytes:
        headers = dict(payload.headers)
        if payload.content_type is not None:
            headers["Content-Type"] = payload.content_type
        headers["Content-Length"] = str(len(payload.body))
        if self._tokens:
            try:
                headers["Authorization"] = f"Bearer {self._tokens.token()}"
            except NoIdentity as error:
                raise Unreachable(str(error)) from error
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"{self._head}{lines}\r\n".encode("latin-1") + payload.body

    def _is_usable(self) -> bool:
        """Whether there is a connection, without an end or an answer that nobody asked for."""
        if self._socket is not None and self._poll.poll(0):
            self.close()
        return self._socket is not None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = self._connect()
            self._poll.register(self._socket, select.POLLIN)
        if self._aborted:  # while it was connecting, when there was nothing to shut down
            self.close()
            raise Aborted
        return self._socket

    def _connect(self) -> socket.socket:
        within_s = min(CONNECT_WITHIN_S, self._timeout_s)
        try:
            connected = socket.create_connection(self._place, within_s)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._secured(connected)
        except OSError as error:
            raise Unreachable(f"no connection: {error}") from error

    def _secured(self, connected: socket.socket) -> socket.socket:
        if self._tls is None:
            return connected
        try:
            return self._tls.wrap_socket(connected, server_hostname=self._place[0])
        except OSError:
            connected.close()
            raise

    def close(self) -> None:
        """Close the connection; the next post opens another."""
        if self._socket is not None:
            self._poll.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def abort(self) -> None:
        """End a post that is under way in another thread, or comes later: it raises Aborted."""
        self._aborted = True
        connected = self._socket
        if connected is not None:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
