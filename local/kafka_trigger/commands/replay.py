"""`replay`: a topic's records once more to a function, beside the group and its offsets."""

import argparse
import threading
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry

from functions.shared.logs import configure
from local.kafka_trigger.assemble import make_delivery, make_queue
from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.bounds import Stretch
from local.kafka_trigger.commands.failures import Failures, FunctionAway
from local.kafka_trigger.commands.going_on import GoingOn
from local.kafka_trigger.commands.problem import FAILED, Interrupted, Misuse, Problem, pick
from local.kafka_trigger.commands.topic_reader import Span, TopicReader, reading
from local.kafka_trigger.config import Config, Kafka, Trigger
from local.kafka_trigger.delivery import Delivery, Stopped
from local.kafka_trigger.metrics import Metrics
from local.kafka_trigger.outage import Outage
from local.kafka_trigger.record import Record
from local.kafka_trigger.transport import Transport

LONGEST_WAIT_S = 60.0  # for a function that is away


def replay(config: Config, options: argparse.Namespace, stopping: threading.Event) -> int:
    """Deliver the records asked for; returns the exit status: 1 if any was not taken."""
    configure("kafka-trigger-replay", "WARNING")
    trigger = _to(pick(config.triggers, options.trigger), options.function)
    stretch = Stretch(options.start, options.end)
    with reading(config.kafka, trigger, trigger.topic, stopping) as reader:
        numbers = _numbers(reader, trigger, options.partition, stretch)
        available = reader.spans(numbers)
        spans = {each: stretch.span(reader, each, available[each]) for each in numbers}
        if options.dry_run:
            return _foretell(reader, stretch, spans)
        going_on = GoingOn(options, trigger.name, spans)
        return _Replay(config.kafka, trigger, stopping, going_on).run(reader, stretch, spans)


def _to(trigger: Trigger, function: str | None) -> Trigger:
    """The trigger, with a function of its own perhaps, and with patience that ends."""
    retry = trigger.retry
    age_s = min(retry.max_age_s or LONGEST_WAIT_S, LONGEST_WAIT_S)
    patient = retry.model_copy(update={"max_age_s": age_s})
    return trigger.model_copy(update={"retry": patient, "function": function or trigger.function})


def _numbers(
    reader: TopicReader, trigger: Trigger, asked: int | None, stretch: Stretch
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


def _foretell(reader: TopicReader, stretch: Stretch, spans: Mapping[int, Span]) -> int:
    for number, span in spans.items():
        offsets = [each.offset() for each in stretch.of(reader.read({number: span}))]
        where = f", offsets {offsets[0]} to {offsets[-1]}" if offsets else ""
        output.say(f"partition {number}: {len(offsets)} records{where}")
    output.say("nothing was delivered")
    return 0


class _Replay:
    """A replay of a trigger's records, partition after partition, each in order."""

    def __init__(
        self, kafka: Kafka, trigger: Trigger, stopping: threading.Event, going_on: GoingOn
    ) -> None:
        self._trigger = trigger
        self._failures = Failures()
        self._delivery = _delivery(kafka, trigger, self._failures, stopping)
        self._delivered = 0
        self._going_on = going_on

    def run(self, reader: TopicReader, stretch: Stretch, spans: Mapping[int, Span]) -> int:
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
            self._say_all()
        return FAILED if self._failures.letters else 0

    def _partition(self, records: Iterator[Record], number: int, span: Span) -> None:
        def advance(offset: int) -> None:
            self._going_on.left[number] = Span(offset, span.end)

        before = self._delivered
        for batch in batches(self._trigger, records):
            self._delivery.deliver(batch, advance)
            self._delivered += len(batch)
        del self._going_on.left[number]
        output.say(f"partition {number}: {self._delivered - before} records delivered")

    def _broken_off(self, why: str) -> str:
        return "\n  ".join([f"{why}; go on with", *self._going_on.commands()])

    def _say_all(self) -> None:
        for each in self._failures.letters:
            record = each.record
            where = f"{record.topic()} {record.partition()}:{record.offset()}"
            output.say(f"not taken: {where}: {output.printable(each.error)}")
        failed = len(self._failures.letters)
        output.say(f"{self._delivered - failed} taken, {failed} not taken")


def batches(trigger: Trigger, records: Iterator[Record]) -> Iterator[list[Record]]:
    """Records in batches, as a trigger makes them of what waits."""
    queue = make_queue(trigger, window_s=0)
    for record in records:
        queue.put([record])
        if queue.is_full:
            yield queue.take()
    while queue.first:
        yield queue.take()


def _delivery(
    kafka: Kafka, trigger: Trigger, failures: Failures, stopping: threading.Event
) -> Delivery:
    return make_delivery(
        kafka,
        trigger,
        Transport(trigger.function, trigger.timeout_s),
        failures,
        Outage(trigger.name),
        Metrics(CollectorRegistry()).of(trigger.name),
        stopping.wait,
    )
