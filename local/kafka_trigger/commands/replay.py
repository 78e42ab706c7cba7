"""`replay`: deliver a topic's records once more, without touching the group's offsets."""

import argparse
import threading
from collections.abc import Mapping

from functions.shared.observability.logs import configure_logging
from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.errors import CommandError, UsageError, choose_trigger
from local.kafka_trigger.commands.replay_range import ReplayRange
from local.kafka_trigger.commands.replayer import Replayer
from local.kafka_trigger.commands.resume_hint import ResumeHint
from local.kafka_trigger.commands.topic_reader import OffsetRange, TopicReader, open_reader
from local.kafka_trigger.config.models import Config, Trigger
from local.kafka_trigger.filters.record_filter import RecordPredicate, compile_filters

MAX_UNAVAILABLE_S = 60.0  # that it waits for a function that does not answer


def replay(config: Config, options: argparse.Namespace, stopping: threading.Event) -> int:
    """Deliver the records asked for; returns the exit status: 1 if any was not taken."""
    configure_logging("kafka-trigger-replay", "WARNING")
    trigger = _adapted(choose_trigger(config.triggers, options.trigger), options.function)
    replay_range = ReplayRange(options.start, options.end)
    with open_reader(config.kafka, trigger, trigger.topic, stopping) as reader:
        partitions = _partitions(reader, trigger, options.partition, replay_range)
        available = reader.offset_ranges(partitions)
        ranges = {each: replay_range.offsets(reader, each, available[each]) for each in partitions}
        if options.dry_run:
            return _dry_run(reader, replay_range, ranges, compile_filters(trigger.filter))
        resume_hint = ResumeHint(options, trigger.name, ranges)
        replayer = Replayer(config.kafka, trigger, stopping, resume_hint)
        return replayer.run(reader, replay_range, ranges)


def _adapted(trigger: Trigger, function: str | None) -> Trigger:
    """Return the trigger with the function given, if any, and with a limit to its retries."""
    retry = trigger.retry
    max_age_s = min(retry.max_age_s or MAX_UNAVAILABLE_S, MAX_UNAVAILABLE_S)
    limited = retry.model_copy(update={"max_age_s": max_age_s})
    return trigger.model_copy(update={"retry": limited, "function": function or trigger.function})


def _partitions(
    reader: TopicReader, trigger: Trigger, wanted: int | None, replay_range: ReplayRange
) -> list[int]:
    partitions = reader.partitions()
    if not partitions:
        raise CommandError(f"there is no topic {trigger.topic}")
    if wanted is not None and wanted not in partitions:
        first, last = partitions[0], partitions[-1]
        raise UsageError(f"--partition {wanted}: {trigger.topic} has partitions {first} to {last}")
    has_offset = replay_range.start.offset is not None or replay_range.end.offset is not None
    if wanted is None and has_offset and len(partitions) > 1:
        raise UsageError("an offset belongs to a partition: --partition N is needed")
    return partitions if wanted is None else [wanted]


def _dry_run(
    reader: TopicReader,
    replay_range: ReplayRange,
    ranges: Mapping[int, OffsetRange],
    accepts: RecordPredicate | None,
) -> int:
    for partition, offsets in ranges.items():
        count = first = last = 0
        for record in replay_range.within_times(reader.read({partition: offsets})):
            if accepts is None or accepts(record):
                last = record.offset()
                first = last if count == 0 else first
                count += 1
        suffix = f", offsets {first} to {last}" if count else ""
        output.print_line(f"partition {partition}: {count} records{suffix}")
    output.print_line("nothing was delivered")
    return 0
