"""Publishing to Kafka from an event loop, with the broker's acknowledgement."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from functions.shared.settings import KafkaSettings

DeliveryReport = Callable[[KafkaError | None, Message], None]

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
        self.future = future
        self.awaited = awaited
        self.error: KafkaError | None = None

    def resolve(self) -> None:
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(NotAcknowledged(str(self.error)))

    def expire(self) -> None:
        if not self.future.done():
            self.future.set_exception(NotAcknowledged("no acknowledgement in time"))


class Publisher:
    """One idempotent producer a process, bound to the event loop that it is made in.

    Delivery reports come in on a thread of their own and reach the loop in one go a poll, since
    waking the loop costs more than the report.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._deadline_s = settings.publish_deadline_s
        self._producer = Producer(_configuration(settings), logger=log)
        self._loop = asyncio.get_running_loop()
        self._complete: list[_Acknowledgement] = []
        Thread(target=self._poll, name="publisher", daemon=True).start()

    async def publish(self, records: Sequence[Record]) -> None:
        """Publish the records and wait until the broker has acknowledged all of them (acks=all).

        Raises:
            NotAcknowledged: the broker refused one, or the deadline passed.
        """
        acknowledgement = _Acknowledgement(self._loop.create_future(), len(records))
        deadline = self._loop.call_later(self._deadline_s, acknowledgement.expire)

        def delivered(error: KafkaError | None, _: Message) -> None:
            acknowledgement.error = acknowledgement.error or error
            acknowledgement.awaited -= 1
            if not acknowledgement.awaited:
                self._complete.append(acknowledgement)

        try:
            for record in records:
                self._produce(record, delivered)
            await acknowledgement.future
        except (BufferError, KafkaException) as error:
            raise NotAcknowledged(str(error)) from error
        finally:
            deadline.cancel()

    def announce(self, records: Sequence[Record]) -> None:
        """Publish the records without waiting; one that is lost is only logged."""

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                log.warning("announcement lost", extra={"fields": {"error": str(error)}})

        try:
            for record in records:
                self._produce(record, delivered)
        except (BufferError, KafkaException) as error:
            log.warning("announcement lost", extra={"fields": {"error": str(error)}})

    def _produce(self, record: Record, delivered: DeliveryReport) -> None:
        self._producer.produce(
            record.topic,
            record.value,
            record.key,
            headers=list(record.headers.items()),
            on_delivery=delivered,
        )

    def _poll(self) -> None:
        while not self._loop.is_closed():
            self._producer.poll(1.0)
            if self._complete:
                complete, self._complete = self._complete, []
                self._tell(complete)

    def _tell(self, complete: Sequence[_Acknowledgement]) -> None:
        def resolve() -> None:
            for acknowledgement in complete:
                acknowledgement.resolve()

        try:
            self._loop.call_soon_threadsafe(resolve)
        except RuntimeError:  # the loop was closed: nobody waits any more
            log.debug("the event loop is gone")


def _configuration(settings: KafkaSettings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 1,
        "message.timeout.ms": int(settings.publish_deadline_s * 1000),
        "partitioner": "murmur2_random",  # the partition that Java clients choose for a key
    }
