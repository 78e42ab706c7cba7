"""Publishing to Kafka from an event loop, with the broker's acknowledgement."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from functions.shared.settings import KafkaSettings

DeliveryReport = Callable[[KafkaError | None, Message], None]

POLL_S = 0.002

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """What goes onto a topic; records of one key stay in order."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str]


class NotAcknowledged(Exception):
    """The broker did not acknowledge the records in time; they may still arrive."""


class _Acknowledgement:
    """Counts down the delivery reports of the records of one call."""

    def __init__(self, future: asyncio.Future[None], awaited: int) -> None:
        self._future = future
        self._awaited = awaited
        self._error: KafkaError | None = None

    def delivered(self, error: KafkaError | None, _: Message) -> None:
        self._error = self._error or error
        self._awaited -= 1
        if self._awaited or self._future.done():
            return
        if self._error is None:
            self._future.set_result(None)
        else:
            self._future.set_exception(NotAcknowledged(str(self._error)))

    def expire(self) -> None:
        if not self._future.done():
            self._future.set_exception(NotAcknowledged("no acknowledgement in time"))


class Publisher:
    """One idempotent producer a process, bound to the event loop that it is made in.

    While acknowledgements are awaited the loop asks for them every other millisecond. A thread that
    waits for them would fight with the loop for the interpreter: measured, it cost more than all
    the rest of a request. For the same reason records wait `linger_ms` for company: a request to
    the broker costs as much as ten events.
    """

    def __init__(self, settings: KafkaSettings, *, linger_ms: float = 5) -> None:
        self._deadline_s = settings.publish_deadline_s
        self._producer = Producer(_configuration(settings, linger_ms), logger=log)
        self._loop = asyncio.get_running_loop()
        self._polling = False

    async def publish(self, records: Sequence[Record]) -> None:
        """Publish the records and wait until the broker has acknowledged all of them (acks=all).

        Raises:
            NotAcknowledged: the broker refused one, or the deadline passed.
        """
        future = self._loop.create_future()
        acknowledgement = _Acknowledgement(future, len(records))
        deadline = self._loop.call_later(self._deadline_s, acknowledgement.expire)
        try:
            self._produce(records, acknowledgement.delivered)
            await future
        except (BufferError, KafkaException) as error:
            raise NotAcknowledged(str(error)) from error
        finally:
            deadline.cancel()

    def announce(self, records: Sequence[Record]) -> None:
        """Publish the records without waiting; one that is lost is only logged."""
        try:
            self._produce(records, _log_if_lost)
        except (BufferError, KafkaException) as error:
            log.warning("announcement lost", extra={"fields": {"error": str(error)}})

    def _produce(self, records: Sequence[Record], delivered: DeliveryReport) -> None:
        for record in records:
            self._producer.produce(
                record.topic,
                record.value,
                record.key,
                headers=list(record.headers.items()),
                on_delivery=delivered,
            )
        if not self._polling:
            self._polling = True
            self._loop.call_later(POLL_S, self._poll)

    def _poll(self) -> None:
        self._producer.poll(0)
        self._polling = len(self._producer) > 0
        if self._polling:
            self._loop.call_later(POLL_S, self._poll)


def _log_if_lost(error: KafkaError | None, _: Message) -> None:
    if error is not None:
        log.warning("announcement lost", extra={"fields": {"error": str(error)}})


def _configuration(settings: KafkaSettings, linger_ms: float) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": linger_ms,
        "message.timeout.ms": int(settings.publish_deadline_s * 1000),
        "partitioner": "murmur2_random",  # the partition that Java clients choose for a key
    }
