"""The transport to a function: one persistent HTTP connection."""

import select
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from httptools import HttpParserError

from local.kafka_trigger.delivering.google_identity import IdentityTokens, NoIdentity
from local.kafka_trigger.delivering.response_reader import ResponseReader
from local.kafka_trigger.envelopes.payload import Payload

CONNECT_WITHIN_S = 5.0
READ_SIZE = 64 * 1024  # bytes
PORTS = {"http": 80, "https": 443}
UNAUTHORIZED = (401, 403)


class Unreachable(Exception):
    """There is no connection to the function, or its platform rejected our identity."""


class NoResponse(Exception):
    """The request may have arrived, but the response was not complete, or not in time."""


class Aborted(Exception):
    """We have ended the request ourselves."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A function's response; `retry_after` is the header of that name."""

    status: int
    body: bytes
    retry_after: str | None = None


class Transport(Protocol):
    """A way to send payloads to a function."""

    def post(self, payload: Payload) -> HttpResponse:
        """Send a payload; raises Unreachable, NoResponse or Aborted."""


class HttpTransport:
    """Sends payloads to one function, one at a time.

    It replaces a general HTTP client, which takes longer for a request than all else that a trigger
    does. With `tokens` each request is authenticated; if it is rejected for that, it has not
    reached the function, and the response says nothing about its records.
    """

    def __init__(self, url: str, timeout_s: float, tokens: IdentityTokens | None = None) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or PORTS[parts.scheme])
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
        """Send a payload and read the response.

        Raises Unreachable before, and NoResponse after the payload may have arrived; Aborted if
        `abort` is called, before or meanwhile.
        """
        request = self._request(payload)
        is_reused = self._is_usable()
        reader = ResponseReader()
        try:
            self._exchange(request, self._connection(), reader)
        except (OSError, HttpParserError) as error:
            self.close()
            if self._aborted:
                raise Aborted from error
            if isinstance(error, TimeoutError):
                raise NoResponse(f"no answer within {self._timeout_s:g} s") from error
            if is_reused and not reader.has_begun:
                return self.post(payload)  # the server may have closed the idle connection
            raise NoResponse(f"the connection broke: {error!r}") from error
        if not reader.keeps_alive:
            self.close()
        if self._tokens and reader.status in UNAUTHORIZED:
            self._tokens.renew()
            raise Unreachable(
                f"HTTP {reader.status}: who we are is not enough to call the function"
            )
        return HttpResponse(reader.status, reader.body, reader.retry_after)

    def _exchange(self, request: bytes, connection: socket.socket, reader: ResponseReader) -> None:
        deadline = time.monotonic() + self._timeout_s
        connection.settimeout(self._timeout_s)
        connection.sendall(request)
        while not reader.is_complete:
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            if data := connection.recv(READ_SIZE):
                reader.feed(data)
            elif not reader.close():
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
        """Whether there is a connection that is neither closed nor has unexpected data."""
        if self._socket is not None and self._poll.poll(0):
            self.close()
        return self._socket is not None

    def _connection(self) -> socket.socket:
        if self._socket is None:
            self._socket = self._connect()
            self._poll.register(self._socket, select.POLLIN)
        if self._aborted:  # while connecting, when there was no socket to shut down
            self.close()
            raise Aborted
        return self._socket

    def _connect(self) -> socket.socket:
        timeout_s = min(CONNECT_WITHIN_S, self._timeout_s)
        try:
            connection = socket.create_connection(self._address, timeout_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._with_tls(connection)
        except OSError as error:
            raise Unreachable(f"no connection: {error}") from error

    def _with_tls(self, connection: socket.socket) -> socket.socket:
        if self._tls is None:
            return connection
        try:
            return self._tls.wrap_socket(connection, server_hostname=self._address[0])
        except OSError:
            connection.close()
            raise

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._poll.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def abort(self) -> None:
        """Have any request raise Aborted, from now on and that of another thread at once."""
        self._aborted = True
        connection = self._socket
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
