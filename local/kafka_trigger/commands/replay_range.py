"""Where a replay begins and ends: at an offset, at a time, or at the ends of the partition."""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import dropwhile, takewhile

from local.kafka_trigger.commands.topic_reader import OffsetRange, TopicReader
from local.kafka_trigger.record import Record

EARLIEST, END = "earliest", "end"


@dataclass(frozen=True)
class Bound:
    """An offset, or a time in milliseconds since 1970; with neither, there is no bound."""

    offset: int | None = None
    time_ms: int | None = None

    def text(self, unbounded: str) -> str:
        """Return it as a command is given it; `unbounded` is the word for no bound."""
        if self.offset is not None:
            return str(self.offset)
        if self.time_ms is None:
            return unbounded
        return datetime.fromtimestamp(self.time_ms / 1000, UTC).isoformat()


UNBOUNDED = Bound()


def parse_from(text: str) -> Bound:
    """Parse the value of `--from`; raises ArgumentTypeError."""
    return UNBOUNDED if text == EARLIEST else _parse(text, EARLIEST)


def parse_to(text: str) -> Bound:
    """Parse the value of `--to`; raises ArgumentTypeError."""
    return UNBOUNDED if text == END else _parse(text, END)


def _parse(text: str, unbounded: str) -> Bound:
    if text.isascii() and text.isdecimal():
        return Bound(offset=int(text))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither an offset, nor a time such as 2026-07-19T18:00:00Z, "
            f"nor {unbounded}"
        )
    return Bound(time_ms=round(time.timestamp() * 1000))


@dataclass(frozen=True)
class ReplayRange:
    """The records of a partition that are replayed: from `start` to before `end`."""

    start: Bound
    end: Bound

    def offsets(self, reader: TopicReader, partition: int, available: OffsetRange) -> OffsetRange:
        """Return the offsets to read of those available: all that may be in the range."""
        start, end = self.start.offset, self.end.offset
        if self.start.time_ms is not None:
            start = reader.offset_for_time(partition, self.start.time_ms)
            if start is None:
                return OffsetRange(available.end, available.end)
        return OffsetRange(
            max(available.start, start or 0),
            available.end if end is None else min(available.end, end),
        )

    def within_times(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records between the bounds that are times.

        A broker may find a time's batch rather than its record, or the first of all for a time
        to come (Tansu does both), so the timestamps of the records are compared too.
        """
        start_ms, end_ms = self.start.time_ms, self.end.time_ms
        if start_ms is not None:
            records = dropwhile(lambda each: each.timestamp()[1] < start_ms, records)
        if end_ms is not None:
            records = takewhile(lambda each: each.timestamp()[1] < end_ms, records)
        return iter(records)
