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
from functions.shared.kafka.acknowledgements import Acknowledged, Acknowledgement, PendingAcks
from functions.shared.kafka.client import producer_configuration
from functions.shared.kafka.credentials import Login, SaslCredentials
from functions.shared.kafka.delivery_health import DeliveryHealth
from functions.shared.kafka.producers import Producers
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.kafka.topic_check import TopicCheck, raise_for_problem
from functions.shared.settings.load import reload_if_changed

OnDelivery = Callable[[KafkaError | None, Message], None]

POLL_EVERY_S = 0.001

log = logging.getLogger(__name__)


class Record(NamedTuple):
    """A record for a topic; records with the same key stay in order."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str]


class Publisher:
    """Publishes through one idempotent producer a process; bound to the running event loop.

    While acknowledgements are pending the loop polls for them every millisecond. A thread that
    waits for them would compete with the loop for the interpreter: measured, it cost more than all
    the rest of a request. Records that come meanwhile are held until the next poll, as by Nagle's
    algorithm: a request to the broker costs as much as ten events. A lone record is sent at once.

    After any error of a delivery, another producer replaces the one that had it. `topic` is the one
    that `ready` checks.
    """

    def __init__(self, settings: KafkaSettings, *, topic: str) -> None:
        self._settings = settings
        self._deadline_s = settings.publish_deadline_s
        self._loop = asyncio.get_running_loop()
        self._health = DeliveryHealth(self._deadline_s, self._loop.time)
        self._credentials = SaslCredentials(_login(settings), self._read_login)
        self._producers = Producers(self._connect, self._deadline_s)
        self._topic_check = TopicCheck(self._producers.get, topic)
        self._polling: pending_work.Work | None = None
        self._pending = PendingAcks()
        self._held: list[tuple[Sequence[Record], Acknowledgement]] = []

    def publish(
        self, records: Sequence[Record], acknowledged: Acknowledged | None = None
    ) -> Acknowledged:
        """Publish records; return a future, by default a new one, that waits for the broker.

        Its result is set when the broker has acknowledged all of them (acks=all); its exception is
        NotAcknowledged when the broker rejected one, or the deadline passed.
        """
        acknowledged = acknowledged or self._loop.create_future()
        now = self._loop.time()
        acknowledgement = Acknowledgement(acknowledged, len(records), now + self._deadline_s)
        if self._pending:
            self._held.append((records, acknowledgement))
        else:
            self._send(records, acknowledgement)
        if not acknowledgement.is_done():
            self._pending.add(acknowledgement, now)
        return acknowledged

    def announce(self, records: Sequence[Record]) -> None:
        """Publish records without waiting; one may be lost, which is logged."""
        with suppress(BufferError, KafkaException):
            self._produce(records, lambda *_: None)

    async def ready(self) -> None:
        """Return if a record could be published, as far as that is known without publishing one.

        Raises:
            Unavailable: the broker does not answer within two seconds, has no such topic, or
                rejected the last record, and why.
        """
        if cause := self._health.cause():
            raise Unavailable(f"The broker does not acknowledge records: {cause}.")
        check = self._topic_check.start()
        self._ensure_polling()  # a client that has to log in again gets a token by a callback
        await raise_for_problem(check)

    def _produce(self, records: Sequence[Record], on_delivery: OnDelivery) -> None:
        producer = self._producers.get()
        callback = partial(self._on_delivery, producer, on_delivery)
        self._ensure_polling()
        try:
            for record in records:
                producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    headers=list(record.headers.items()),
                    on_delivery=callback,
                )
        except KafkaException as error:
            self._record_failure(producer, error.args[0])
            raise
        except BufferError:
            self._health.record_failure(KafkaError(KafkaError._QUEUE_FULL))
            raise

    def _send(self, records: Sequence[Record], acknowledgement: Acknowledgement) -> None:
        try:
            self._produce(records, acknowledgement.on_delivery)
        except (BufferError, KafkaException) as error:
            acknowledgement.complete(str(error))

    def _on_delivery(
        self,
        producer: Producer,
        on_delivery: OnDelivery,
        error: KafkaError | None,
        message: Message,
    ) -> None:
        if error is None:
            self._health.record_success()
        else:
            self._record_failure(producer, error)
        on_delivery(error, message)

    def _record_failure(self, producer: Producer, error: KafkaError) -> None:
        if self._producers.failed(producer):
            self._health.record_failure(error)

    def _ensure_polling(self) -> None:
        if self._polling is None:
            self._polling = pending_work.track()
            self._loop.call_later(POLL_EVERY_S, self._poll)

    def _poll(self) -> None:
        self._producers.poll()
        held, self._held = self._held, []
        for records, acknowledgement in held:
            self._send(records, acknowledgement)
        self._pending.expire(self._loop.time())
        if is_reading_login := self._credentials.is_reading():
            self._credentials.update(self._producers)
        has_records = self._pending or self._producers
        if has_records or self._topic_check.is_running() or is_reading_login:
            self._loop.call_later(POLL_EVERY_S, self._poll)
        elif self._polling is not None:
            self._polling.set_result(None)
            self._polling = None

    def _connect(self) -> Producer:
        configuration = producer_configuration(self._settings)
        return Producer({**configuration, "error_cb": self._on_client_error}, logger=log)

    def _on_client_error(self, error: KafkaError) -> None:
        self._health.record_client_error(error)
        if _login(self._settings):
            self._credentials.on_error(error)
            self._ensure_polling()

    def _read_login(self) -> Login | None:
        """Read the settings again, for later producers too; called in a thread of its own."""
        fields = ("kafka_sasl_username", "kafka_sasl_password")
        self._settings = reload_if_changed(self._settings, *fields) or self._settings
        return _login(self._settings)


def _login(settings: KafkaSettings) -> Login | None:
    user, password = settings.kafka_sasl_username, settings.kafka_sasl_password
    return (user, password.get_secret_value()) if user and password else None
