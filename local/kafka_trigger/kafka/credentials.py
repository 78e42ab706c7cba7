"""A client's user and password, read again when the broker refuses them."""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from confluent_kafka import KafkaError

from local.kafka_trigger.config.load import ConfigError

Settings = Mapping[str, Any]
Login = tuple[str, str] | None

log = logging.getLogger("kafka")


class SignsIn(Protocol):
    """A client of the broker."""

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Sign in as this user from now on."""


class Credentials:
    """The user and password of one client, which is set once it is made with `settings`.

    `read` reads its settings as they are now. That may take seconds, so it has a thread of its
    own. The client is told by whoever polls it, as it lets no other thread in meanwhile; but not
    from within one of its callbacks, as the next one would end the process.
    """

    client: SignsIn

    def __init__(self, settings: Settings, read: Callable[[], Settings]) -> None:
        self._login = _login(settings)
        self._read = read
        self._reader = ThreadPoolExecutor(1)
        self._reading: Future[Login] | None = None
        self._lock = threading.Lock()  # several threads poll the producer

    def heard(self, error: KafkaError) -> None:
        """Take what the client calls `error_cb` with: it does for each attempt that is refused."""
        with self._lock:
            if error.code() == KafkaError._AUTHENTICATION and self._reading is None:
                self._reading = self._reader.submit(self._now)

    def polled(self) -> None:
        """After a poll: tell the client what has been read, if anything has."""
        with self._lock:
            reading = self._reading
            if reading is None or not reading.done():
                return
            self._reading = None
        self._take(reading.result())

    def _now(self) -> Login:
        try:
            return _login(self._read())
        except ConfigError as error:
            log.error("the settings cannot be read again: %s", error)  # noqa: TRY400 (says it all)
            return None

    def _take(self, login: Login) -> None:
        if login is None or login == self._login:
            log.error("the broker refuses our user or password")
        else:
            self._login = login
            self.client.set_sasl_credentials(*login)


def _login(settings: Settings) -> Login:
    user, password = (settings.get(f"sasl.{name}") for name in ("username", "password"))
    return (str(user), str(password)) if user and password else None
