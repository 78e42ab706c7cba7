"""`status`: the offsets and lag of each partition, by Kafka and by the triggers that run."""

import argparse
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Literal

from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.live_status import (
    LiveStatus,
    StatusUnavailable,
    fetch_live_status,
)
from local.kafka_trigger.commands.topic_reader import OffsetRange, TopicReader, open_reader
from local.kafka_trigger.config.models import Config, Trigger

LIVE_COLUMNS = ("in_flight", "paused", "attempts", "oldest_age_s", "blocked")


def status(config: Config, options: argparse.Namespace, stopping: threading.Event) -> int:
    """Print the status of the file's triggers; returns the exit status."""
    live = _fetch_all(options.url)
    rows = [row for trigger in config.triggers for row in _rows(config, trigger, live, stopping)]
    if options.json:
        output.print_json({"partitions": rows})
    else:
        output.print_rows(map(_with_short_age, rows))
    return 0


def _fetch_all(urls: Sequence[str]) -> LiveStatus:
    """Fetch from all addresses; one that cannot be reached is only named on standard error."""
    found: LiveStatus = {}
    for url in urls:
        try:
            found |= fetch_live_status(url)
        except StatusUnavailable as error:
            sys.stderr.write(f"{error}\n")
    return found


def _rows(
    config: Config, trigger: Trigger, live: LiveStatus, stopping: threading.Event
) -> list[output.Row]:
    with open_reader(config.kafka, trigger, trigger.topic, stopping, prefetch=1) as reader:
        partitions = reader.partitions()
        if not partitions:
            sys.stderr.write(f"{trigger.name}: there is no topic {trigger.topic}\n")
        return _partition_rows(trigger, reader, partitions, live)


def _partition_rows(
    trigger: Trigger, reader: TopicReader, partitions: Sequence[int], live: LiveStatus
) -> list[output.Row]:
    committed = reader.committed(partitions)  # before the ends, so that it is not beyond them
    available = reader.offset_ranges(partitions)
    lags = _lags(trigger, reader, committed, available)
    return [
        {
            "trigger": trigger.name,
            "topic": trigger.topic,
            "group": trigger.group,
            "partition": partition,
            "committed": committed.get(partition),
            "end": available[partition].end,
            "lag": lags[partition],
            **_live_columns(live, trigger, partition),
        }
        for partition in partitions
    ]


def _lags(
    trigger: Trigger,
    reader: TopicReader,
    committed: Mapping[int, int],
    available: Mapping[int, OffsetRange],
) -> dict[int, int | None]:
    """Return the lag of each partition: 0 where no record is left among the last offsets."""
    lags = {
        partition: lag(committed.get(partition), offsets, trigger.auto_offset_reset)
        for partition, offsets in available.items()
    }
    behind = {
        partition: available[partition].end - each for partition, each in lags.items() if each
    }
    with_records = reader.with_records(behind) if behind else set()
    return lags | {partition: 0 for partition in behind if partition not in with_records}


def lag(
    committed: int | None, available: OffsetRange, auto_offset_reset: Literal["earliest", "latest"]
) -> int | None:
    """Return how many offsets a group has still to read.

    None if it has committed nothing and begins with the records that come after it has joined.
    """
    if committed is None:
        is_from_start = auto_offset_reset == "earliest"
        return available.end - available.start if is_from_start else None
    return max(available.end - max(committed, available.start), 0)


def _live_columns(live: LiveStatus, trigger: Trigger, partition: int) -> dict[str, object]:
    found = live.get((trigger.name, partition), {})
    return {name: found.get(name) for name in LIVE_COLUMNS}


def _with_short_age(row: output.Row) -> output.Row:
    age = row["oldest_age_s"]
    return {**row, "oldest_age_s": round(age, 1) if isinstance(age, float) else age}
