"""The user and password of the trigger's clients, which are read again from its file."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from functions.shared.kafka import credentials
from functions.shared.kafka.credentials import Login
from local.kafka_trigger.config.load import ConfigError

Settings = Mapping[str, Any]

log = logging.getLogger("kafka")


class SaslCredentials(credentials.SaslCredentials):
    """The user and password of a client that was made with `settings`.

    `read_settings` returns its settings as they are now, or raises ConfigError.
    """

    def __init__(self, settings: Settings, read_settings: Callable[[], Settings]) -> None:
        super().__init__(_login(settings), lambda: _read_login(read_settings))


def _read_login(read_settings: Callable[[], Settings]) -> Login | None:
    try:
        return _login(read_settings())
    except ConfigError as error:
        log.error("the settings cannot be read again: %s", error)  # noqa: TRY400 (says it all)
        return None


def _login(settings: Settings) -> Login | None:
    user, password = (settings.get(f"sasl.{name}") for name in ("username", "password"))
    return (str(user), str(password)) if user and password else None
