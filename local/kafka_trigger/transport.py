"""One kept-alive HTTP connection to a function."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from local.kafka_trigger.envelopes.payload import Payload

CONNECT_WITHIN_S = 5.0


class Unreachable(Exception):
    """No connection to the function came about: nobody is there."""


class Broken(Exception):
    """The function was reached, but did not answer in full or in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answered."""

    status: int
    body: bytes
    retry_after: str | None = None


class Transport:
    """Posts payloads to one function, one at a time."""

    def __init__(self, url: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connect_within = min(CONNECT_WITHIN_S, timeout_s)
        self._connection = kind(parts.hostname or "", parts.port, timeout=connect_within)
        self._timeout_s = timeout_s
        self._aborted = False

    def post(self, payload: Payload) -> Answer:
        """Post a payload and read the answer.

        Raises Unreachable before, and Broken after the payload may have arrived.
        """
        kept_alive = self._connection.sock is not None
        try:
            return self._exchange(payload)
        except TimeoutError as error:
            self.close()
            raise Broken(f"no answer within {self._timeout_s:g} s") from error
        except (OSError, HTTPException) as error:
            self.close()
            if kept_alive and not self._aborted:  # the server may have closed it while it was idle
                return self.post(payload)
            raise Broken(f"the connection broke: {error!r}") from error

    def _exchange(self, payload: Payload) -> Answer:
        if self._connection.sock is None:
            self._connect()
        headers = {"User-Agent": "kafka-trigger", **payload.headers}
        if payload.content_type is not None:
            headers["Content-Type"] = payload.content_type
        self._connection.request("POST", self._target, payload.body, headers)
        response = self._connection.getresponse()
        body = response.read()
        return Answer(response.status, body, response.getheader("Retry-After"))

    def _connect(self) -> None:
        try:
            self._connection.connect()
        except OSError as error:
            self.close()
            raise Unreachable(f"no connection: {error}") from error
        self._connection.sock.settimeout(self._timeout_s)

    def close(self) -> None:
        """Close the connection; the next post opens another."""
        self._connection.close()

    def abort(self) -> None:
        """End a post that is under way in another thread: it raises Broken."""
        self._aborted = True
        connected = self._connection.sock
        if connected is not None:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
