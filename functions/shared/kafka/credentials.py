"""The user and password of a Kafka client, read again when the broker rejects them."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from confluent_kafka import KafkaError

Login = tuple[str, str]  # user and password

log = logging.getLogger(__name__)


class SaslClient(Protocol):
    """A client that logs in with a user and a password."""

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Log in as this user from now on."""


class SaslCredentials:
    """The user and password of a client that was made with `login`.

    librdkafka reports each attempt that the broker rejects, and goes on trying; records wait
    meanwhile. `read_login` returns the present login, or None without one. That may take seconds,
    so it has a thread of its own. The client is updated by the thread that polls it, as it blocks
    any other meanwhile; but not from within one of its callbacks, as the next callback would crash
    the process.
    """

    def __init__(self, login: Login | None, read_login: Callable[[], Login | None]) -> None:
        self._login = login
        self._read_login = read_login
        self._reader = ThreadPoolExecutor(1, "credentials")
        self._reading: Future[Login | None] | None = None
        self._lock = threading.Lock()  # several threads may poll a client

    def on_error(self, error: KafkaError) -> None:
        """Read the login again if the broker has rejected it; for the client's `error_cb`."""
        with self._lock:
            if error.code() == KafkaError._AUTHENTICATION and self._reading is None:
                self._reading = self._reader.submit(self._read_login)

    def is_reading(self) -> bool:
        """Return whether a login is being read, or was read and no client has it yet."""
        return self._reading is not None

    def update(self, client: SaslClient) -> None:
        """Give a client, after it was polled, the login that was read, if there is any."""
        with self._lock:
            reading = self._reading
            if reading is None or not reading.done():
                return
            self._reading = None
        login = reading.result()
        if login is None or login == self._login:
            log.error("the broker refuses our user or password")
        else:
            self._login = login
            client.set_sasl_credentials(*login)
