"""The user and password of a Kafka client, fetched again when the broker refuses them."""

import asyncio
import logging
from typing import Any

from confluent_kafka import KafkaError, Producer

from functions.shared.settings import KafkaSettings, renewed

log = logging.getLogger(__name__)


class Credentials:
    """Makes a producer take the present user and password; bound to the running event loop.

    librdkafka says that they are refused, and goes on trying; the records wait meanwhile.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._renewing: asyncio.Task[None] | None = None
        self._producer: Producer | None = None

    def producer(self, configuration: dict[str, Any]) -> Producer:
        """The producer, made with this configuration and the user and password in it."""
        if self._settings.kafka_sasl_password is not None:
            configuration = {**configuration, "error_cb": self._heard}
        self._producer = Producer(configuration, logger=log)
        return self._producer

    def _heard(self, error: KafkaError) -> None:
        if error.code() == KafkaError._AUTHENTICATION and self._renewing is None:
            self._renewing = self._loop.create_task(self._renew())

    async def _renew(self) -> None:
        try:
            names = ("kafka_sasl_username", "kafka_sasl_password")
            fresh = await asyncio.to_thread(renewed, self._settings, *names)
            if fresh is None:
                log.error("the broker refuses our user or password")
            else:
                self._take(fresh)
        finally:
            self._renewing = None

    def _take(self, fresh: KafkaSettings) -> None:
        self._settings = fresh
        password = fresh.kafka_sasl_password
        if self._producer and fresh.kafka_sasl_username and password:
            self._producer.set_sasl_credentials(
                fresh.kafka_sasl_username, password.get_secret_value()
            )
