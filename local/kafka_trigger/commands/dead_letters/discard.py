"""`dlq discard`: close dead letters that nobody needs; each stays in its topic, with a marker."""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from select import select

from confluent_kafka import KafkaError

from local.kafka_trigger.commands.dead_letters.acknowledged_writer import (
    AcknowledgedWriter,
    make_producer,
)
from local.kafka_trigger.commands.dead_letters.actions import (
    ActionResult,
    interruptible_batches,
    print_dry_run,
    print_results,
)
from local.kafka_trigger.commands.dead_letters.markers import marker_record
from local.kafka_trigger.commands.dead_letters.stored_dead_letter import StoredDeadLetter
from local.kafka_trigger.commands.errors import Interrupted, UsageError
from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.kafka.producer import RecordProducer

STOP_CHECK_S = 0.1  # between two checks, while it waits for an answer, whether it is to stop


class Discarder:
    """Writes a marker for each dead letter, and nothing else."""

    def __init__(
        self,
        dlq_topic: str,
        producer: RecordProducer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._dlq_topic = dlq_topic
        self._writer = AcknowledgedWriter(producer)
        self._now = now

    def discard(
        self, dead_letters: Iterable[StoredDeadLetter], is_stopping: Callable[[], bool]
    ) -> Iterator[ActionResult]:
        """Mark dead letters as discarded; yields each result when it is certain.

        Raises Interrupted if it is to stop while there are more.
        """
        for batch in interruptible_batches(dead_letters, is_stopping):
            written = self._writer.write(
                marker_record(each, self._dlq_topic, "discarded", self._now()) for each in batch
            )
            for dead_letter, outcome in zip(batch, written, strict=True):
                error = outcome.str() if isinstance(outcome, KafkaError) else None
                yield ActionResult(dead_letter, error)


def discard(
    kafka: Kafka,
    dlq_topic: str,
    select_dead_letters: Callable[[], Iterable[StoredDeadLetter]],
    stopping: threading.Event,
    *,
    is_dry_run: bool,
    is_confirmed: bool,
) -> int:
    """Discard dead letters, once that is confirmed, and print each; returns the exit status.

    `select_dead_letters` is called once to count them, and again to discard them.
    """
    if is_dry_run:
        return print_dry_run(select_dead_letters(), lambda _: "would be discarded", "discard")
    if not is_confirmed and (count := sum(1 for _ in select_dead_letters())):
        _confirm(count, dlq_topic, stopping)
    discarder = Discarder(dlq_topic, make_producer(kafka))
    results = discarder.discard(select_dead_letters(), stopping.is_set)
    return print_results(results, _describe, "discarded")


def _describe(result: ActionResult) -> str:
    return f"not discarded: {result.error}" if result.error else "discarded"


def _confirm(count: int, dlq_topic: str, stopping: threading.Event) -> None:
    """Ask whether to discard so many dead letters.

    Raises:
        UsageError: the answer is not yes, or there is no terminal to ask at.
        Interrupted: it is to stop before there is an answer.
    """
    if not sys.stdin.isatty():
        raise UsageError("dlq discard asks first: without a terminal, give --yes")
    sys.stderr.write(
        f"Discard {count} dead letters of {dlq_topic}? They can never be redriven. [y/N] "
    )
    sys.stderr.flush()
    while not select([sys.stdin], [], [], STOP_CHECK_S)[0]:
        if stopping.is_set():  # a signal does not interrupt a read
            raise Interrupted
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was discarded")
