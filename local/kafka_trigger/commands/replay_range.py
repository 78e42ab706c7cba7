"""Where a replay begins and where it ends: an offset, a time, or all there is."""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import dropwhile, takewhile

from local.kafka_trigger.commands.topic_reader import Span, TopicReader
from local.kafka_trigger.record import Record

EARLIEST, END = "earliest", "end"


@dataclass(frozen=True)
class Bound:
    """An offset, or the milliseconds since 1970 of a time; with neither, all there is."""

    offset: int | None = None
    time_ms: int | None = None

    def text(self, all_there_is: str) -> str:
        """As a command is given it; `all_there_is` is the word for a bound that is none."""
        if self.offset is not None:
            return str(self.offset)
        if self.time_ms is None:
            return all_there_is
        return datetime.fromtimestamp(self.time_ms / 1000, UTC).isoformat()


ALL = Bound()


def bound_from(text: str) -> Bound:
    """Read what `--from` is given."""
    return ALL if text == EARLIEST else _bound(text, EARLIEST)


def bound_to(text: str) -> Bound:
    """Read what `--to` is given."""
    return ALL if text == END else _bound(text, END)


def _bound(text: str, word: str) -> Bound:
    if text.isascii() and text.isdecimal():
        return Bound(offset=int(text))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither an offset, nor a time such as 2026-07-19T18:00:00Z, nor {word}"
        )
    return Bound(time_ms=round(time.timestamp() * 1000))


@dataclass(frozen=True)
class ReplayRange:
    """What is replayed of a partition."""

    start: Bound
    end: Bound

    def span(self, reader: TopicReader, number: int, available: Span) -> Span:
        """The offsets to read: never more than are there, and none of `end` or later."""
        start, end = self.start.offset, self.end.offset
        if self.start.time_ms is not None:
            start = reader.offset_at(number, self.start.time_ms)
            if start is None:
                return Span(available.end, available.end)
        return Span(
            max(available.start, start or 0),
            available.end if end is None else min(available.end, end),
        )

    def of(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records of the times asked for.

        A broker may find a time's batch rather than its record, or the first of all for a time
        to come (Tansu does both), so their own stamps are looked at too.
        """
        first, last = self.start.time_ms, self.end.time_ms
        if first is not None:
            records = dropwhile(lambda each: each.timestamp()[1] < first, records)
        if last is not None:
            records = takewhile(lambda each: each.timestamp()[1] < last, records)
        return iter(records)
