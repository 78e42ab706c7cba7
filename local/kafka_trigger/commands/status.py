"""`status`: how far each partition of each trigger is, by Kafka and by the triggers that run."""

import argparse
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Literal

from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.probing import NotReached, Standings, standings
from local.kafka_trigger.commands.topic_reader import Span, TopicReader, reading
from local.kafka_trigger.config.models import Config, Trigger

LIVE = ("in_flight", "paused", "attempts", "oldest_age_s", "blocked")


def status(config: Config, options: argparse.Namespace, stopping: threading.Event) -> int:
    """Print how the triggers of the file stand; returns the exit status."""
    live = _live(options.url)
    rows = [row for trigger in config.triggers for row in _rows(config, trigger, live, stopping)]
    if options.json:
        output.say_json({"partitions": rows})
        return 0
    output.say_rows([_for_people(row) for row in rows])
    return 0


def _live(urls: Sequence[str]) -> Standings:
    """What running triggers tell; who is not there is named, and no more."""
    told: Standings = {}
    for url in urls:
        try:
            told |= standings(url)
        except NotReached as error:
            sys.stderr.write(f"{error}\n")
    return told


def _rows(
    config: Config, trigger: Trigger, live: Standings, stopping: threading.Event
) -> list[output.Row]:
    with reading(config.kafka, trigger, trigger.topic, stopping, ahead=1) as reader:
        numbers = reader.partitions()
        if not numbers:
            sys.stderr.write(f"{trigger.name}: there is no topic {trigger.topic}\n")
        return _of_partitions(trigger, reader, numbers, live)


def _of_partitions(
    trigger: Trigger, reader: TopicReader, numbers: Sequence[int], live: Standings
) -> list[output.Row]:
    committed = reader.committed(numbers)  # before the ends: what is committed is no more than them
    spans = reader.spans(numbers)
    lags = _lags(trigger, reader, committed, spans)
    return [
        {
            "trigger": trigger.name,
            "topic": trigger.topic,
            "group": trigger.group,
            "partition": number,
            "committed": committed.get(number),
            "end": spans[number].end,
            "lag": lags[number],
            **_standing(live.get((trigger.name, number), {})),
        }
        for number in numbers
    ]


def _lags(
    trigger: Trigger, reader: TopicReader, committed: Mapping[int, int], spans: Mapping[int, Span]
) -> dict[int, int | None]:
    """The lag of each partition; offsets at its end without a record are none."""
    lags = {
        number: lag(committed.get(number), span, trigger.auto_offset_reset)
        for number, span in spans.items()
    }
    behind = {number: spans[number].end - count for number, count in lags.items() if count}
    have_records = reader.have_records(behind) if behind else ()
    return lags | {number: 0 for number in behind if number not in have_records}


def lag(
    committed: int | None, span: Span, auto_offset_reset: Literal["earliest", "latest"]
) -> int | None:
    """How many offsets a group has before it; None where that depends on when it will begin."""
    if committed is None:
        return span.end - span.start if auto_offset_reset == "earliest" else None
    return max(span.end - max(committed, span.start), 0)


def _standing(told: Mapping[str, object]) -> dict[str, object]:
    return {name: told.get(name) for name in LIVE}


def _for_people(row: output.Row) -> output.Row:
    """A row with ages that are short; what no trigger tells is left out by `-`."""
    age = row["oldest_age_s"]
    return {**row, "oldest_age_s": round(age, 1) if isinstance(age, float) else age}
