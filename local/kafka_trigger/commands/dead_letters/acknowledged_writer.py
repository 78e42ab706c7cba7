"""Writing records and waiting until the broker has acknowledged them."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message

from local.kafka_trigger.commands.errors import UsageError
from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.delivering.dead_letter_size import Header
from local.kafka_trigger.kafka.producer import RecordProducer, ResilientProducer
from local.kafka_trigger.kafka.settings import producer_settings


class OutgoingRecord(NamedTuple):
    """A record to be written; a partition of ANY_PARTITION is chosen by the key."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]


class AcknowledgedWriter:
    """Writes records and waits until the broker has acknowledged or refused each."""

    def __init__(self, producer: RecordProducer) -> None:
        self._producer = producer

    def write(self, records: Iterable[OutgoingRecord | KafkaError]) -> list[Message | KafkaError]:
        """Write records, one after the other as they come.

        Returns, for each in order, the written message or why it was not written. An error among
        `records`, in place of a record that could not be made, is returned in its place.
        """
        results: dict[int, Message | KafkaError] = {}

        def on_delivery(number: int, error: KafkaError | None, message: Message) -> None:
            results[number] = error or message

        count = 0
        for number, record in enumerate(records):
            count += 1
            if isinstance(record, KafkaError):
                results[number] = record
            elif error := self._produce(record, partial(on_delivery, number)):
                results[number] = error
        self._producer.flush()
        return [results[number] for number in range(count)]

    def _produce(
        self, record: OutgoingRecord, on_delivery: Callable[..., None]
    ) -> KafkaError | None:
        """Queue a record, after a flush if the queue is full; returns why that was not possible."""
        produce = partial(
            self._producer.produce,
            record.topic,
            partition=record.partition,
            key=record.key,
            value=record.value,
            headers=record.headers,
            on_delivery=on_delivery,
        )
        try:
            try:
                produce()
            except BufferError:
                self._producer.flush()
                produce()
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            return reason
        except BufferError:  # the record is larger than the queue
            return KafkaError(KafkaError._QUEUE_FULL)
        return None


def make_producer(kafka: Kafka) -> ResilientProducer:
    """Make a producer that keeps the order of records when it retries; raises UsageError."""
    try:
        return ResilientProducer({**producer_settings(kafka), "enable.idempotence": True})
    except KafkaException as error:
        raise UsageError(f"[kafka]: {error.args[0].str()}") from error
