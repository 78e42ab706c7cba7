"""A client's user and password, which are read again when the broker rejects them."""

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


class SaslClient(Protocol):
    """A client that logs in with a user and a password."""

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Log in as this user from now on."""


class SaslCredentials:
    """The user and password of a client that was made with `settings`.

    `read_settings` returns its settings as they are now. That may take seconds, so it has a thread
    of its own. The client is updated by the thread that polls it, as it blocks any other meanwhile;
    but not from within one of its callbacks, as the next callback would crash the process.
    """

    def __init__(self, settings: Settings, read_settings: Callable[[], Settings]) -> None:
        self._login = _login(settings)
        self._read_settings = read_settings
        self._reader = ThreadPoolExecutor(1)
        self._reading: Future[Login] | None = None
        self._lock = threading.Lock()  # several threads poll the producer

    def on_error(self, error: KafkaError) -> None:
        """Read the settings if the client's login was rejected; the client's `error_cb`."""
        with self._lock:
            if error.code() == KafkaError._AUTHENTICATION and self._reading is None:
                self._reading = self._reader.submit(self._read_login)

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

    def _read_login(self) -> Login:
        try:
            return _login(self._read_settings())
        except ConfigError as error:
            log.error("the settings cannot be read again: %s", error)  # noqa: TRY400 (says it all)
            return None


def _login(settings: Settings) -> Login:
    user, password = (settings.get(f"sasl.{name}") for name in ("username", "password"))
    return (str(user), str(password)) if user and password else None
