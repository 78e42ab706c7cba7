"""From where to where a replay goes, and what it does with failures."""

import argparse
from argparse import Namespace
from dataclasses import dataclass
from typing import cast

import pytest

from local.kafka_trigger.commands.failures import Failures, FunctionAway
from local.kafka_trigger.commands.replay import batches
from local.kafka_trigger.commands.replay_range import ALL, Bound, ReplayRange, bound_from, bound_to
from local.kafka_trigger.commands.resume_hint import ResumeHint
from local.kafka_trigger.commands.topic_reader import Span, TopicReader
from local.kafka_trigger.config.models import Trigger
from local.kafka_trigger.delivering.dead_letter import DeadLetter
from tests.support.builders.records import record, records

AVAILABLE = Span(10, 100)
TRIGGER = Trigger(
    name="one", topic="t", group="g", function="http://f", auto_offset_reset="earliest",
    batch_size=300, batch_bytes=500,
)  # fmt: skip


@dataclass
class FakeReader:
    """A topic of which a time begins at an offset."""

    offset: int | None

    def offset_at(self, *_: int) -> int | None:
        """The offset of the time."""
        return self.offset


def span(start: Bound, end: Bound = ALL, begins_at: int | None = None) -> Span:
    """The offsets that a stretch has of what is available."""
    reader = cast(TopicReader, FakeReader(begins_at))
    return ReplayRange(start, end).span(reader, 0, AVAILABLE)


def test_bounds_are_offsets_times_or_all() -> None:
    """A time has an offset from UTC."""
    assert bound_from("earliest") == bound_to("end") == ALL
    assert bound_from("17") == Bound(offset=17)
    assert bound_to("1970-01-01T01:00:01.5+01:00") == Bound(time_ms=1500)


@pytest.mark.parametrize("text", ["-1", "latest", "2026-07-19T18:00:00", "18:00", "²", ""])
def test_what_is_no_bound_is_refused(text: str) -> None:
    """A time without an offset might be meant in any place of the world."""
    with pytest.raises(argparse.ArgumentTypeError):
        bound_from(text)


def test_a_stretch_is_never_more_than_there_is() -> None:
    """Whatever is asked for."""
    assert span(ALL) == AVAILABLE
    assert span(Bound(5), Bound(500)) == AVAILABLE
    assert span(Bound(20), Bound(30)) == Span(20, 30)
    assert span(Bound(time_ms=1), begins_at=50) == Span(50, 100)
    assert span(Bound(time_ms=1), begins_at=None) == Span(100, 100)


def test_times_are_those_of_the_records() -> None:
    """Also where the broker found a place before the time, or none."""
    stamped = [record(number, timestamp=(1, number * 10)) for number in range(10)]
    stretch = ReplayRange(Bound(time_ms=25), Bound(time_ms=60))
    assert [each.offset() for each in stretch.of(stamped)] == [3, 4, 5]
    assert not list(ReplayRange(Bound(time_ms=1000), ALL).of(stamped))
    assert len(list(ReplayRange(ALL, ALL).of(stamped))) == 10


@pytest.mark.parametrize(
    ("start", "end", "reached", "told"),
    [
        (ALL, ALL, 10, "--from 10 --to 100"),
        (Bound(5), Bound(500), 40, "--from 40 --to 100"),
        (Bound(time_ms=25), Bound(time_ms=60_000), 40, "--from 40 --to 1970-01-01T00:01:00+00:00"),
        (Bound(time_ms=25), ALL, 10, "--from 1970-01-01T00:00:00.025000+00:00 --to 100"),
    ],
)
def test_a_replay_goes_on_where_it_was_and_ends_where_it_would_have(
    start: Bound, end: Bound, reached: int, told: str
) -> None:
    """What was written since is left out; what a time leaves out, it still does."""
    options = Namespace(file="my file.toml", start=start, end=end, function=None)
    going_on = ResumeHint(options, "one", {0: AVAILABLE, 1: Span(7, 7)})
    going_on.left[0] = Span(reached, AVAILABLE.end)
    [command] = going_on.commands()
    assert command == (
        "python -m local.kafka_trigger replay 'my file.toml' --trigger one --partition 0 " + told
    )


def test_batches_are_as_large_as_the_trigger_s() -> None:
    """In records, and in bytes, whatever comes."""
    sizes = [len(batch) for batch in batches(TRIGGER, iter(records(range(1000))))]
    assert sizes == [250, 250, 250, 250]
    few = TRIGGER.model_copy(update={"batch_bytes": 10_000})
    told = [
        record.offset() for batch in batches(few, iter(records(range(650)))) for record in batch
    ]
    assert [len(batch) for batch in batches(few, iter(records(range(650))))] == [300, 300, 50]
    assert told == list(range(650))


def test_a_batch_may_begin_with_a_tombstone() -> None:
    """A record without a value is one like any other, though its length is 0."""
    told = [*batches(TRIGGER, iter([record(0, None), record(1), record(2, b"")]))]
    assert [[each.offset() for each in batch] for batch in told] == [[0, 1, 2]]


def test_failures_are_told_and_a_function_that_is_unavailable_ends_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """There is no use in a minute of patience for each batch; one that hangs is not away."""
    failures = Failures()
    hung = DeadLetter(record(7), None, 1, "no answer within 30 s", "age")
    assert failures.write([hung]) == []
    with pytest.raises(FunctionAway, match="no connection"):
        failures.write(
            [DeadLetter(record(8), None, 1, "no connection", "age", is_unavailable=True)]
        )
    assert failures.count == 1
    assert capsys.readouterr().out == "not taken: matches 0:7: no answer within 30 s\n"
