"""The user and password of Kafka clients, fetched again when the broker refuses them."""

import asyncio
import logging
from collections.abc import Callable

from confluent_kafka import KafkaError

from functions.shared.kafka.settings import KafkaSettings
from functions.shared.settings.load import reload_if_changed

log = logging.getLogger(__name__)


class Credentials:
    """Keeps the settings with the present user and password; bound to the running event loop.

    librdkafka says that they are refused, and goes on trying; the records wait meanwhile. `take` is
    called with a new user and password, for the clients that were made with the old ones.
    """

    def __init__(self, settings: KafkaSettings, take: Callable[[str, str], None]) -> None:
        self.settings = settings
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._renewing: asyncio.Task[None] | None = None

    def heard(self, error: KafkaError) -> None:
        """Take what a client calls `error_cb` with: it does for each attempt that is refused."""
        has_password = self.settings.kafka_sasl_password is not None
        is_refused = error.code() == KafkaError._AUTHENTICATION
        if has_password and is_refused and self._renewing is None:
            self._renewing = self._loop.create_task(self._renew())

    async def _renew(self) -> None:
        try:
            names = ("kafka_sasl_username", "kafka_sasl_password")
            fresh = await asyncio.to_thread(reload_if_changed, self.settings, *names)
            if fresh is None:
                log.error("the broker refuses our user or password")
            else:
                self._set(fresh)
        finally:
            self._renewing = None

    def _set(self, fresh: KafkaSettings) -> None:
        self.settings = fresh
        password = fresh.kafka_sasl_password
        if fresh.kafka_sasl_username and password:
            self._take(fresh.kafka_sasl_username, password.get_secret_value())
