"""Publishing to Kafka from an event loop, with the broker's acknowledgement."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from functions.shared.concurrency import pending_work
from functions.shared.errors import Unavailable
from functions.shared.kafka.acknowledgements import (
    Acknowledged,
    Acknowledgement,
    PendingAcks,
)
from functions.shared.kafka.client import producer_configuration
from functions.shared.kafka.credentials import Credentials
from functions.shared.kafka.delivery_health import DeliveryHealth
from functions.shared.kafka.producers import Producers
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.kafka.topic_check import TopicCheck, passed

DeliveryReport = Callable[[KafkaError | None, Message], None]

POLL_S = 0.001

log = logging.getLogger(__name__)


class Record(NamedTuple):
    """What goes onto a topic; records of one key stay in order."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str]


class Publisher:
    """Publishes through one idempotent producer a process; bound to the running event loop.

    While acknowledgements are awaited the loop asks for them every millisecond. A thread that
    waits for them would fight with the loop for the interpreter: measured, it cost more than all
    the rest of a request. Records that come meanwhile are held until then, as Nagle's algorithm
    would: a request to the broker costs as much as ten events. A lone one goes out at once.

    Whatever error a delivery ends with, another producer takes the place of the one that had it.
    `topic` is the one that `ready` asks for.
    """

    def __init__(self, settings: KafkaSettings, *, topic: str) -> None:
        self._deadline_s = settings.publish_deadline_s
        self._loop = asyncio.get_running_loop()
        self._health = DeliveryHealth(self._deadline_s, self._loop.time)
        self._credentials = Credentials(settings, self._sign_in)
        self._producers = Producers(self._connect, self._deadline_s)
        self._topic_check = TopicCheck(self._producers.get, topic)
        self._polling: pending_work.End | None = None
        self._awaited = PendingAcks()
        self._held: list[tuple[Sequence[Record], Acknowledgement]] = []

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
        if self._awaited:
            self._held.append((records, acknowledgement))
        else:
            self._send(records, acknowledgement)
        if not acknowledgement.ended():
            self._awaited.add(acknowledgement, now)
        return acknowledged

    def announce(self, records: Sequence[Record]) -> None:
        """Publish the records without waiting; one may be lost, and why is logged."""
        with suppress(BufferError, KafkaException):
            self._produce(records, lambda *_: None)

    async def ready(self) -> None:
        """Return when a record could be published, as far as that can be known without one.

        Raises:
            Unavailable: the broker does not answer within two seconds, has no such topic, or
                refused the last record, and why.
        """
        if cause := self._health.cause():
            raise Unavailable(f"The broker does not acknowledge records: {cause}.")
        look = self._topic_check.look()
        self._poll_soon()  # a client that has to sign in anew is given a token by a callback
        await passed(look)

    def _produce(self, records: Sequence[Record], delivered: DeliveryReport) -> None:
        producer = self._producers.get()
        reported = partial(self._reported, producer, delivered)
        self._poll_soon()
        try:
            for record in records:
                producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    headers=list(record.headers.items()),
                    on_delivery=reported,
                )
        except KafkaException as error:
            self._failed(producer, error.args[0])
            raise
        except BufferError:
            self._health.failed(KafkaError(KafkaError._QUEUE_FULL))
            raise

    def _send(self, records: Sequence[Record], acknowledgement: Acknowledgement) -> None:
        try:
            self._produce(records, acknowledgement.delivered)
        except (BufferError, KafkaException) as error:
            acknowledgement.end(str(error))

    def _reported(
        self,
        producer: Producer,
        delivered: DeliveryReport,
        error: KafkaError | None,
        message: Message,
    ) -> None:
        if error is None:
            self._health.succeeded()
        else:
            self._failed(producer, error)
        delivered(error, message)

    def _failed(self, producer: Producer, error: KafkaError) -> None:
        if self._producers.failed(producer):
            self._health.failed(error)

    def _poll_soon(self) -> None:
        if self._polling is None:
            self._polling = pending_work.track()
            self._loop.call_later(POLL_S, self._poll)

    def _poll(self) -> None:
        self._producers.poll()
        held, self._held = self._held, []
        for records, acknowledgement in held:
            self._send(records, acknowledgement)
        self._awaited.expire(self._loop.time())
        if self._awaited or self._producers or self._topic_check.is_looking():
            self._loop.call_later(POLL_S, self._poll)
        elif self._polling is not None:
            self._polling.set_result(None)
            self._polling = None

    def _connect(self) -> Producer:
        configuration = producer_configuration(self._credentials.settings)
        return Producer({**configuration, "error_cb": self._heard}, logger=log)

    def _heard(self, error: KafkaError) -> None:
        self._health.heard(error)
        self._credentials.heard(error)

    def _sign_in(self, user: str, password: str) -> None:
        for producer in self._producers:
            producer.set_sasl_credentials(user, password)
