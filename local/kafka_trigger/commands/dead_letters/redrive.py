"""`dlq redrive`: write dead letters back to the topics and partitions that they came from."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka.admin import TopicMetadata

from local.kafka_trigger.commands.dead_letters.acknowledged_writer import (
    AcknowledgedWriter,
    OutgoingRecord,
    make_producer,
)
from local.kafka_trigger.commands.dead_letters.actions import (
    ActionResult,
    interruptible_batches,
    print_dry_run,
    print_results,
)
from local.kafka_trigger.commands.dead_letters.markers import marker_record
from local.kafka_trigger.commands.dead_letters.original_records import OriginalRecords
from local.kafka_trigger.commands.dead_letters.stored_dead_letter import (
    GONE,
    RecordContent,
    StoredDeadLetter,
)
from local.kafka_trigger.commands.topic_reader import REQUEST_TIMEOUT_S
from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.delivering.dead_letter_size import is_too_large
from local.kafka_trigger.kafka.producer import ANY_PARTITION, RecordProducer


class Redriver:
    """Writes original records back to their topics, and a marker for each to the dead-letter topic.

    A marker is written when the broker has acknowledged the record: no record is lost, and one
    whose marker is missing may be redriven again.
    """

    def __init__(
        self,
        dlq_topic: str,
        producer: RecordProducer,
        partitions_of: Callable[[str], Sequence[int]],
        find_original: Callable[[StoredDeadLetter], RecordContent | None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._dlq_topic = dlq_topic
        self._writer = AcknowledgedWriter(producer)
        self._partitions_of = partitions_of
        self._find_original = find_original
        self._now = now

    def dry_run(self, dead_letter: StoredDeadLetter) -> str:
        """Say what would become of a dead letter."""
        if not self._partitions_of(dead_letter.topic):
            return f"there is no topic {dead_letter.topic}"
        if self._find_original(dead_letter) is None:
            return f"is lost: {GONE}"
        return f"would go to {dead_letter.topic} {dead_letter.partition}"

    def redrive(
        self, dead_letters: Iterable[StoredDeadLetter], is_stopping: Callable[[], bool]
    ) -> Iterator[ActionResult]:
        """Redrive dead letters in their order; yields each result when it is certain.

        Raises Interrupted if it is to stop while there are more.
        """
        for batch in interruptible_batches(dead_letters, is_stopping):
            yield from self._redrive_batch(batch)

    def _redrive_batch(self, dead_letters: Sequence[StoredDeadLetter]) -> Iterator[ActionResult]:
        written = self._writer.write(map(self._original_record, dead_letters))
        for index, dead_letter in enumerate(dead_letters):
            if is_too_large(written[index]):
                written[index] = self._redrive_alone(dead_letter)
        pairs = list(zip(dead_letters, written, strict=True))
        done = [
            dead_letter for dead_letter, outcome in pairs if not isinstance(outcome, KafkaError)
        ]
        marked = dict(zip([each.id for each in done], self._mark(done), strict=True))
        for dead_letter, outcome in pairs:
            yield _result(dead_letter, outcome, marked.get(dead_letter.id))

    def _redrive_alone(self, dead_letter: StoredDeadLetter) -> Message | KafkaError:
        """Redrive one that was too large in its batch, for a topic's limit is that of a batch.

        If it still is, without the count: a record at its topic's limit has no room for that.
        """
        [outcome] = self._writer.write([self._original_record(dead_letter)])
        if is_too_large(outcome):
            [outcome] = self._writer.write([self._original_record(dead_letter, is_counted=False)])
        return outcome

    def _original_record(
        self, dead_letter: StoredDeadLetter, *, is_counted: bool = True
    ) -> OutgoingRecord | KafkaError:
        try:
            partitions = self._partitions_of(dead_letter.topic)
            if not partitions:
                return KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
            original = self._find_original(dead_letter)
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            return reason
        if original is None:
            return KafkaError(KafkaError._NO_OFFSET, GONE)
        found = replace(dead_letter, original=original)
        is_known = dead_letter.partition in partitions
        return OutgoingRecord(
            topic=dead_letter.topic,
            partition=dead_letter.partition if is_known else ANY_PARTITION,
            key=original.key,
            value=original.value,
            headers=found.redriven_headers() if is_counted else found.original_headers(),
        )

    def _mark(self, dead_letters: Sequence[StoredDeadLetter]) -> list[Message | KafkaError]:
        return self._writer.write(
            marker_record(each, self._dlq_topic, "redriven", self._now()) for each in dead_letters
        )


def redrive(
    kafka: Kafka,
    dlq_topic: str,
    dead_letters: Iterable[StoredDeadLetter],
    originals: OriginalRecords,
    stopping: threading.Event,
    *,
    is_dry_run: bool,
) -> int:
    """Redrive dead letters and print what becomes of each; returns the exit status."""
    producer = make_producer(kafka)
    redriver = Redriver(dlq_topic, producer, _partition_lookup(producer), originals.find)
    if is_dry_run:
        return print_dry_run(
            dead_letters, lambda each: f"{redriver.dry_run(each)} (it was {each.offset})", "redrive"
        )
    results = redriver.redrive(dead_letters, stopping.is_set)
    return print_results(results, _describe, "redriven")


def _partition_lookup(producer: RecordProducer) -> Callable[[str], list[int]]:
    """Return a function that returns the partitions of a topic, none if there is no such topic."""

    @cache
    def topics() -> Mapping[str, TopicMetadata]:
        """Ask for all topics: a broker may create one that it is asked for by name."""
        found: Mapping[str, TopicMetadata] = producer.list_topics(timeout=REQUEST_TIMEOUT_S).topics
        return found

    return lambda name: sorted(topics()[name].partitions) if name in topics() else []


def _result(
    dead_letter: StoredDeadLetter,
    outcome: Message | KafkaError,
    marked: Message | KafkaError | None,
) -> ActionResult:
    if isinstance(outcome, KafkaError):
        return ActionResult(dead_letter, outcome.str())
    written_to = f"{outcome.topic()} {outcome.partition()}:{outcome.offset()}"
    error = None
    if isinstance(marked, KafkaError):
        error = f"it was written, but could not be marked as redriven: {marked.str()}"
    return ActionResult(dead_letter, error, written_to)


def _describe(result: ActionResult) -> str:
    if result.written_to is None:
        return f"not redriven: {result.error}"
    return f"redriven to {result.written_to}" + (f"; {result.error}" if result.error else "")
