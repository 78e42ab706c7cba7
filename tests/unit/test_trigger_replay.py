"""The range of a replay, its batches, its failures, and how to continue it."""

import argparse
from argparse import Namespace
from dataclasses import dataclass
from typing import cast

import pytest

from local.kafka_trigger.commands.replay_range import (
    UNBOUNDED,
    Bound,
    ReplayRange,
    parse_from,
    parse_to,
)
from local.kafka_trigger.commands.replayer import (
    FailureReport,
    FunctionUnavailable,
    trigger_batches,
)
from local.kafka_trigger.commands.resume_hint import ResumeHint
from local.kafka_trigger.commands.topic_reader import OffsetRange, TopicReader
from local.kafka_trigger.config.models import Trigger
from local.kafka_trigger.delivering.dead_letter import DeadLetter
from tests.support.builders.records import record, records

AVAILABLE = OffsetRange(10, 100)
TRIGGER = Trigger(
    name="one", topic="t", group="g", function="http://f", auto_offset_reset="earliest",
    batch_size=300, batch_bytes=500,
)  # fmt: skip


@dataclass
class FakeReader:
    """A topic in which a time begins at an offset."""

    offset: int | None

    def offset_for_time(self, *_: int) -> int | None:
        """The offset of the time."""
        return self.offset


def offsets(start: Bound, end: Bound = UNBOUNDED, begins_at: int | None = None) -> OffsetRange:
    """The available offsets that are in a range; a time begins at `begins_at`."""
    reader = cast(TopicReader, FakeReader(begins_at))
    return ReplayRange(start, end).offsets(reader, 0, AVAILABLE)


def test_a_bound_is_an_offset_a_time_or_a_word() -> None:
    """A time has an offset from UTC."""
    assert parse_from("earliest") == parse_to("end") == UNBOUNDED
    assert parse_from("17") == Bound(offset=17)
    assert parse_to("1970-01-01T01:00:01.5+01:00") == Bound(time_ms=1500)


@pytest.mark.parametrize("text", ["-1", "latest", "2026-07-19T18:00:00", "18:00", "²", ""])
def test_any_other_text_is_refused(text: str) -> None:
    """A time without an offset from UTC is ambiguous."""
    with pytest.raises(argparse.ArgumentTypeError):
        parse_from(text)


def test_a_range_is_never_more_than_is_available() -> None:
    """Whatever range is requested."""
    assert offsets(UNBOUNDED) == AVAILABLE
    assert offsets(Bound(5), Bound(500)) == AVAILABLE
    assert offsets(Bound(20), Bound(30)) == OffsetRange(20, 30)
    assert offsets(Bound(time_ms=1), begins_at=50) == OffsetRange(50, 100)
    assert offsets(Bound(time_ms=1), begins_at=None) == OffsetRange(100, 100)


def test_records_are_selected_by_their_own_timestamps() -> None:
    """Since the broker may find an offset before the time, or none."""
    stamped = [record(number, timestamp=(1, number * 10)) for number in range(10)]
    replay_range = ReplayRange(Bound(time_ms=25), Bound(time_ms=60))
    assert [each.offset() for each in replay_range.within_times(stamped)] == [3, 4, 5]
    assert not list(ReplayRange(Bound(time_ms=1000), UNBOUNDED).within_times(stamped))
    assert len(list(ReplayRange(UNBOUNDED, UNBOUNDED).within_times(stamped))) == 10


@pytest.mark.parametrize(
    ("start", "end", "delivered", "expected"),
    [
        (UNBOUNDED, UNBOUNDED, 10, "--from 10 --to 100"),
        (Bound(5), Bound(500), 40, "--from 40 --to 100"),
        (Bound(time_ms=25), Bound(time_ms=60_000), 40, "--from 40 --to 1970-01-01T00:01:00+00:00"),
        (Bound(time_ms=25), UNBOUNDED, 10, "--from 1970-01-01T00:00:00.025000+00:00 --to 100"),
    ],
)
def test_the_hint_continues_where_the_replay_was_and_keeps_its_end(
    start: Bound, end: Bound, delivered: int, expected: str
) -> None:
    """Records written since are left out, and so are those that a time leaves out."""
    options = Namespace(file="my file.toml", start=start, end=end, function=None)
    resume_hint = ResumeHint(options, "one", {0: AVAILABLE, 1: OffsetRange(7, 7)})
    resume_hint.advance(0, delivered)
    [command] = resume_hint.commands()
    assert command == (
        "python -m local.kafka_trigger replay 'my file.toml' --trigger one --partition 0 "
        + expected
    )


def test_batches_have_the_size_of_the_triggers() -> None:
    """In records and in bytes."""
    sizes = [len(batch) for batch in trigger_batches(TRIGGER, iter(records(range(1000))))]
    assert sizes == [250, 250, 250, 250]
    few = TRIGGER.model_copy(update={"batch_bytes": 10_000})
    offsets = [
        record.offset()
        for batch in trigger_batches(few, iter(records(range(650))))
        for record in batch
    ]
    assert [len(batch) for batch in trigger_batches(few, iter(records(range(650))))] == [
        300,
        300,
        50,
    ]
    assert offsets == list(range(650))


def test_a_batch_may_begin_with_a_tombstone() -> None:
    """A record without a value is one like any other, though its length is 0."""
    made = trigger_batches(TRIGGER, iter([record(0, None), record(1), record(2, b"")]))
    assert [[each.offset() for each in batch] for batch in made] == [[0, 1, 2]]


def test_failures_are_printed_and_an_unavailable_function_ends_the_replay(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """To wait a minute for each batch is no use; a function that hangs is not unavailable."""
    failures = FailureReport()
    hung = DeadLetter(record(7), None, 1, "no answer within 30 s", "age")
    assert failures.write([hung]) == []
    with pytest.raises(FunctionUnavailable, match="no connection"):
        failures.write(
            [DeadLetter(record(8), None, 1, "no connection", "age", is_unavailable=True)]
        )
    assert failures.count == 1
    assert capsys.readouterr().out == "not taken: matches 0:7: no answer within 30 s\n"
