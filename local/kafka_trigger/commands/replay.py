"""`replay`: a topic's records once more to a function, beside the group and its offsets."""

import argparse
import threading
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry

from functions.shared.observability.logs import configure
from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.errors import FAILED, Interrupted, Misuse, Problem, pick
from local.kafka_trigger.commands.failures import Failures, FunctionAway
from local.kafka_trigger.commands.replay_range import ReplayRange
from local.kafka_trigger.commands.resume_hint import ResumeHint
from local.kafka_trigger.commands.topic_reader import Span, TopicReader, reading
from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.config.models import Config, Trigger
from local.kafka_trigger.delivering.context import Waits
from local.kafka_trigger.delivering.google_identity import tokens_for
from local.kafka_trigger.delivering.retrying_deliverer import RetryingDeliverer, Stopped
from local.kafka_trigger.delivering.transport import HttpTransport
from local.kafka_trigger.filters.record_filter import RecordPredicate, compile_filters
from local.kafka_trigger.observing.metrics import Metrics, TriggerMetrics
from local.kafka_trigger.record import Record
from local.kafka_trigger.wiring import delivery_context, make_queue

LONGEST_WAIT_S = 60.0  # for a function that is away


def replay(config: Config, options: argparse.Namespace, stopping: threading.Event) -> int:
    """Deliver the records asked for; returns the exit status: 1 if any was not taken."""
    configure("kafka-trigger-replay", "WARNING")
    trigger = _to(pick(config.triggers, options.trigger), options.function)
    stretch = ReplayRange(options.start, options.end)
    with reading(config.kafka, trigger, trigger.topic, stopping) as reader:
        numbers = _numbers(reader, trigger, options.partition, stretch)
        available = reader.spans(numbers)
        spans = {each: stretch.span(reader, each, available[each]) for each in numbers}
        if options.dry_run:
            return _foretell(reader, stretch, spans, compile_filters(trigger.filter))
        going_on = ResumeHint(options, trigger.name, spans)
        return _Replay(config.kafka, trigger, stopping, going_on).run(reader, stretch, spans)


def _to(trigger: Trigger, function: str | None) -> Trigger:
    """The trigger, with a function of its own perhaps, and with patience that ends."""
    retry = trigger.retry
    age_s = min(retry.max_age_s or LONGEST_WAIT_S, LONGEST_WAIT_S)
    patient = retry.model_copy(update={"max_age_s": age_s})
    return trigger.model_copy(update={"retry": patient, "function": function or trigger.function})


def _numbers(
    reader: TopicReader, trigger: Trigger, asked: int | None, stretch: ReplayRange
) -> list[int]:
    numbers = reader.partitions()
    if not numbers:
        raise Problem(f"there is no topic {trigger.topic}")
    if asked is not None and asked not in numbers:
        raise Misuse(f"--partition {asked}: {trigger.topic} has {numbers[0]} to {numbers[-1]}")
    by_offset = stretch.start.offset is not None or stretch.end.offset is not None
    if asked is None and by_offset and len(numbers) > 1:
        raise Misuse("an offset is one of a partition: --partition N is needed")
    return numbers if asked is None else [asked]


def _foretell(
    reader: TopicReader,
    stretch: ReplayRange,
    spans: Mapping[int, Span],
    wanted: RecordPredicate | None,
) -> int:
    for number, span in spans.items():
        count = first = last = 0
        for record in stretch.of(reader.read({number: span})):
            if wanted is None or wanted(record):
                last = record.offset()
                first = last if count == 0 else first
                count += 1
        where = f", offsets {first} to {last}" if count else ""
        output.say(f"partition {number}: {count} records{where}")
    output.say("nothing was delivered")
    return 0


class _Replay:
    """A replay of a trigger's records, partition after partition, each in order."""

    def __init__(
        self, kafka: Kafka, trigger: Trigger, stopping: threading.Event, going_on: ResumeHint
    ) -> None:
        self._trigger = trigger
        self._failures = Failures()
        self._counters = CollectorRegistry()
        metrics = Metrics(self._counters).of(trigger.name)
        self._deliverer = _deliverer(kafka, trigger, self._failures, metrics, stopping)
        self._going_on = going_on

    def run(self, reader: TopicReader, stretch: ReplayRange, spans: Mapping[int, Span]) -> int:
        """Deliver all, and say what came of it; raises Problem where it ends too early."""
        try:
            for number, span in spans.items():
                self._partition(stretch.of(reader.read({number: span})), number, span)
        except (Stopped, Interrupted) as error:
            raise Interrupted(self._broken_off("interrupted")) from error
        except FunctionAway as error:
            raise Problem(self._broken_off(f"the function is away: {error}")) from error
        except Problem as error:
            raise Problem(self._broken_off(str(error)), error.status) from error
        finally:
            self._say_counts()
        return FAILED if self._failures.count else 0

    def _partition(self, records: Iterator[Record], number: int, span: Span) -> None:
        def advance(offset: int) -> None:
            self._going_on.left[number] = Span(offset, span.end)

        before = self._counted("taken")
        for batch in batches(self._trigger, records):
            self._deliverer.deliver(batch, advance)
        del self._going_on.left[number]
        output.note(f"partition {number}: {self._counted('taken') - before} records taken")

    def _broken_off(self, why: str) -> str:
        return "\n  ".join([f"{why}; go on with", *self._going_on.commands()])

    def _say_counts(self) -> None:
        told = [f"{self._counted('taken')} taken", f"{self._failures.count} not taken"]
        if filtered := self._counted("filtered"):
            told.append(f"{filtered} passed over by the filters")
        output.note(", ".join(told))

    def _counted(self, what: str) -> int:
        name = f"kafka_trigger_records_{what}_total"
        return int(self._counters.get_sample_value(name, {"trigger": self._trigger.name}) or 0)


def batches(trigger: Trigger, records: Iterator[Record]) -> Iterator[list[Record]]:
    """Records in batches, as a trigger makes them of what waits."""
    queue = make_queue(trigger, window_s=0)
    for record in records:
        queue.put([record])
        if queue.is_full:
            yield queue.take()
    while queue.first is not None:
        yield queue.take()


def _deliverer(
    kafka: Kafka,
    trigger: Trigger,
    failures: Failures,
    metrics: TriggerMetrics,
    stopping: threading.Event,
) -> RetryingDeliverer:
    tokens = tokens_for(trigger.auth, trigger.function)
    return RetryingDeliverer(
        delivery_context(kafka, trigger, failures, metrics),
        HttpTransport(trigger.function, trigger.timeout_s, tokens),
        Waits(stopping.wait, stopping.wait),
    )
