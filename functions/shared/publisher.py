"""Publishing to Kafka from an event loop, with the broker's acknowledgement."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message

from functions.shared import kafka, loose_ends
from functions.shared.acknowledgements import (
    Acknowledged,
    Acknowledgement,
    Awaited,
    NotAcknowledged,
)
from functions.shared.kafka_credentials import Credentials
from functions.shared.problems import Unavailable
from functions.shared.settings import KafkaSettings
from functions.shared.topics import HIGHLIGHTS_PENDING, MATCH_EVENTS

DeliveryReport = Callable[[KafkaError | None, Message], None]

POLL_S = 0.001
READY_WITHIN_S = 1.0

__all__ = ["Acknowledged", "NotAcknowledged", "Publisher", "Record"]

log = logging.getLogger(__name__)


class Record(NamedTuple):
    """What goes onto a topic; records of one key stay in order."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str]


class Publisher:
    """One idempotent producer a process, bound to the event loop that it is made in.

    While acknowledgements are awaited the loop asks for them every millisecond. A thread that
    waits for them would fight with the loop for the interpreter: measured, it cost more than all
    the rest of a request. For the same reason records wait `linger_ms` for company: a request to
    the broker costs as much as ten events.
    """

    def __init__(self, settings: KafkaSettings, *, linger_ms: float = 1) -> None:
        self._deadline_s = settings.publish_deadline_s
        self._credentials = Credentials(settings)
        self._connect = partial(self._credentials.producer, _configuration(settings, linger_ms))
        self._producer = self._connect()
        self._loop = asyncio.get_running_loop()
        self._polling: loose_ends.End | None = None
        self._awaited = Awaited()

    def publish(
        self, records: Sequence[Record], acknowledged: Acknowledged | None = None
    ) -> Acknowledged:
        """Publish the records; await what is returned, or bring the future that is to end.

        It ends when the broker has acknowledged all of them (acks=all), or with `NotAcknowledged`
        when the broker refused one, or the deadline passed.
        """
        acknowledged = acknowledged or self._loop.create_future()
        now = self._loop.time()
        acknowledgement = Acknowledgement(acknowledged, len(records), now + self._deadline_s)
        try:
            self._produce(records, acknowledgement.delivered)
        except (BufferError, KafkaException) as error:
            acknowledgement.end(str(error))
        else:
            self._awaited.add(acknowledgement, now)
        return acknowledged

    def announce(self, records: Sequence[Record]) -> None:
        """Publish the records without waiting; one that is lost is only logged."""
        try:
            self._produce(records, _log_if_lost)
        except (BufferError, KafkaException) as error:
            log.warning("announcement lost", extra={"fields": {"error": str(error)}})

    async def ready(self) -> None:
        """Return if the broker answers, and has the topics.

        Raises:
            Unavailable: it does not, or has not.
        """
        try:
            known = await asyncio.to_thread(self._producer.list_topics, timeout=READY_WITHIN_S)
        except KafkaException as error:
            raise Unavailable("The broker does not answer.") from error
        missing = {MATCH_EVENTS, HIGHLIGHTS_PENDING} - known.topics.keys()
        if missing:
            raise Unavailable(f"The topic {min(missing)} is not there.")

    def _produce(self, records: Sequence[Record], delivered: DeliveryReport) -> None:
        try:
            for record in records:
                self._producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    headers=list(record.headers.items()),
                    on_delivery=delivered,
                )
        except KafkaException as error:
            if error.args[0].code() == KafkaError._FATAL:
                log.error("the producer is beyond repair, another takes its place: %s", error)  # noqa: TRY400 (says it all)
                self._producer = self._connect()
            raise
        if self._polling is None:
            self._polling = loose_ends.leave()
            self._loop.call_later(POLL_S, self._poll)

    def _poll(self) -> None:
        self._producer.poll(0)
        self._awaited.expire(self._loop.time())
        if self._awaited or len(self._producer):
            self._loop.call_later(POLL_S, self._poll)
        elif self._polling is not None:
            self._polling.set_result(None)
            self._polling = None


def _log_if_lost(error: KafkaError | None, _: Message) -> None:
    if error is not None:
        log.warning("announcement lost", extra={"fields": {"error": str(error)}})


def _configuration(settings: KafkaSettings, linger_ms: float) -> dict[str, Any]:
    return {
        **kafka.client(settings),
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": linger_ms,
        "message.timeout.ms": int(settings.publish_deadline_s * 1000),
        # Connect before there is a record: an idempotent producer looks for a broker to number its
        # records every 500 ms only, and found none at its first look, nor at its second.
        "enable.sparse.connections": False,
        "partitioner": "murmur2_random",  # the partition that Java clients choose for a key
    }
