"""Delivering records once more: partition after partition, each in order."""

import threading
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry

from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.errors import FAILED, CommandError, Interrupted
from local.kafka_trigger.commands.replay_range import ReplayRange
from local.kafka_trigger.commands.resume_hint import ResumeHint
from local.kafka_trigger.commands.topic_reader import OffsetRange, TopicReader
from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.config.models import Trigger
from local.kafka_trigger.delivering.context import Waits
from local.kafka_trigger.delivering.dead_letter import DeadLetter, NotWritten
from local.kafka_trigger.delivering.google_identity import tokens_for
from local.kafka_trigger.delivering.retrying_deliverer import RetryingDeliverer, Stopped
from local.kafka_trigger.delivering.transport import HttpTransport
from local.kafka_trigger.observing.counters import Metrics, TriggerMetrics
from local.kafka_trigger.record import Record
from local.kafka_trigger.wiring import delivery_context, make_queue


class FunctionUnavailable(Exception):
    """The function did not answer within the time of a batch; the message has the last error."""


class FailureReport:
    """Prints and counts dead letters, and writes none.

    Raises FunctionUnavailable for those whose function is unavailable.
    """

    def __init__(self) -> None:
        self.count = 0

    def write(self, dead_letters: Sequence[DeadLetter]) -> list[NotWritten]:
        """Print dead letters."""
        for dead_letter in dead_letters:
            if dead_letter.is_unavailable:
                raise FunctionUnavailable(dead_letter.error)
            self.count += 1
            record = dead_letter.record
            position = f"{record.topic()} {record.partition()}:{record.offset()}"
            output.print_progress(f"not taken: {position}: {output.printable(dead_letter.error)}")
        return []


class Replayer:
    """Delivers a trigger's records to its function and prints what became of them."""

    def __init__(
        self, kafka: Kafka, trigger: Trigger, stopping: threading.Event, resume_hint: ResumeHint
    ) -> None:
        self._trigger = trigger
        self._failures = FailureReport()
        self._registry = CollectorRegistry()
        metrics = Metrics(self._registry).of(trigger.name)
        self._deliverer = _make_deliverer(kafka, trigger, self._failures, metrics, stopping)
        self._resume_hint = resume_hint

    def run(
        self, reader: TopicReader, replay_range: ReplayRange, ranges: Mapping[int, OffsetRange]
    ) -> int:
        """Deliver all records; returns the exit status.

        Raises CommandError, with the commands that continue, if it ends early.
        """
        try:
            for partition, offsets in ranges.items():
                records = replay_range.within_times(reader.read({partition: offsets}))
                self._replay_partition(partition, records)
        except (Stopped, Interrupted) as error:
            raise Interrupted(self._with_commands("interrupted")) from error
        except FunctionUnavailable as error:
            raise CommandError(
                self._with_commands(f"the function is unavailable: {error}")
            ) from error
        except CommandError as error:
            raise CommandError(self._with_commands(str(error)), error.status) from error
        finally:
            self._print_counts()
        return FAILED if self._failures.count else 0

    def _replay_partition(self, partition: int, records: Iterator[Record]) -> None:
        before = self._counted("taken")
        for batch in trigger_batches(self._trigger, records):
            self._deliverer.deliver(
                batch, lambda offset: self._resume_hint.advance(partition, offset)
            )
        self._resume_hint.finish(partition)
        output.print_progress(
            f"partition {partition}: {self._counted('taken') - before} records taken"
        )

    def _with_commands(self, reason: str) -> str:
        return "\n  ".join([f"{reason}; continue with", *self._resume_hint.commands()])

    def _print_counts(self) -> None:
        counts = [f"{self._counted('taken')} taken", f"{self._failures.count} not taken"]
        if filtered := self._counted("filtered"):
            counts.append(f"{filtered} left out by the filters")
        output.print_progress(", ".join(counts))

    def _counted(self, name: str) -> int:
        metric = f"kafka_trigger_records_{name}_total"
        return int(self._registry.get_sample_value(metric, {"trigger": self._trigger.name}) or 0)


def trigger_batches(trigger: Trigger, records: Iterator[Record]) -> Iterator[list[Record]]:
    """Yield records in the batches that the trigger would make if all were waiting."""
    queue = make_queue(trigger, window_s=0)
    for record in records:
        queue.put([record])
        if queue.is_full:
            yield queue.take()
    while queue.first is not None:
        yield queue.take()


def _make_deliverer(
    kafka: Kafka,
    trigger: Trigger,
    failures: FailureReport,
    metrics: TriggerMetrics,
    stopping: threading.Event,
) -> RetryingDeliverer:
    tokens = tokens_for(trigger.auth, trigger.function)
    return RetryingDeliverer(
        delivery_context(kafka, trigger, failures, metrics),
        HttpTransport(trigger.function, trigger.timeout_s, tokens),
        Waits(stopping.wait, stopping.wait),
    )
