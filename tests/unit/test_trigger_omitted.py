"""Letters that had no room for their record: as they are read, shown and brought home."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, Producer

from local.kafka_trigger.commands.dead_letter import GONE, REDRIVES, Content, StoredDeadLetter
from local.kafka_trigger.commands.dead_letter_index import DeadLetterIndex
from local.kafka_trigger.commands.dead_letter_output import say_letter, say_list
from local.kafka_trigger.commands.marks import End
from local.kafka_trigger.commands.redrive import Redriver
from local.kafka_trigger.commands.topic_reader import Span
from local.kafka_trigger.delivering.dead_letter import DeadLetter, dead_letter_headers
from local.kafka_trigger.delivering.dead_letter_size import SMALLER, DeadLetterSize, record_bytes
from local.kafka_trigger.record import Record
from tests.support.builders.dead_letters import NOW, OWN, FakeProducer, mark
from tests.support.builders.records import TOPIC, record

ORIGINAL = record(7, b"x" * 2000, key=b"k", headers=OWN, partition=2, timestamp=(1, 5))
WITHOUT_VALUE, *_, BARE = SMALLER


def buried(at: int, original: Record = ORIGINAL, form: DeadLetterSize = WITHOUT_VALUE) -> Record:
    """The letter of a record that was too large, at this offset of its topic."""
    why = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
    letter = DeadLetter(original, 422, 1, "why", "refused")
    headers = [
        (name, value.encode() if isinstance(value, str) else value)
        for name, value in dead_letter_headers(letter, "one", NOW, form, why)
    ]
    return record(at, form.value_of(original), key=form.key_of(original), headers=headers)


def open_letters(*records: Record) -> list[StoredDeadLetter]:
    """The open letters of a topic with these records."""
    return list(DeadLetterIndex({0: Span(0, 100)}, lambda: records, "one").open())


@pytest.mark.parametrize("form", SMALLER)
def test_such_a_letter_is_known_and_has_no_content(form: DeadLetterSize) -> None:
    """It has its record's place, and knows that record again."""
    [letter] = open_letters(buried(3, form=form))
    assert (letter.content, letter.omitted, letter.place) == (None, form.omits, (TOPIC, 2, 7))
    assert letter.is_of(ORIGINAL)


@pytest.mark.parametrize(
    "more",
    [
        {"offset": 8},
        {"value": b"y" * 1999},
        {"key": b"K"},
        {"timestamp": (1, 6)},
        {"headers": []},
    ],
)
def test_another_record_in_its_place_is_not_taken_for_it(more: dict[str, Any]) -> None:
    """The topic may have been made anew since then."""
    [letter] = open_letters(buried(3))
    was: dict[str, Any] = {
        "offset": 7, "value": b"x" * 2000, "key": b"k", "headers": OWN, "partition": 2,
        "timestamp": (1, 5),
    }  # fmt: skip
    assert letter.is_of(record(**was))
    assert not letter.is_of(record(**{**was, **more}))


def test_a_copy_is_the_same_letter_and_a_record_of_a_topic_made_anew_another() -> None:
    """By what is told of the record: its content is not there to be compared."""
    other = record(7, b"x" * 2000, key=b"k", headers=OWN, partition=2, timestamp=(1, 6))
    assert [each.id for each in open_letters(buried(3), buried(4))] == ["0:3"]
    assert [each.id for each in open_letters(buried(3), buried(4), mark("0:4"))] == []
    assert [each.id for each in open_letters(buried(3), buried(4, other))] == ["0:3", "0:4"]


def test_what_others_write_into_the_topic_breaks_nothing() -> None:
    """A size or a time that is none belongs to no record."""
    headers = [
        (name, b"x" if name.startswith("dlq_record") else value)
        for name, value in buried(3).headers() or ()
    ]
    [letter] = open_letters(record(3, b"", key=b"k", headers=headers))
    assert not letter.is_of(ORIGINAL)


def test_the_list_says_what_is_missing_and_how_large_it_was(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whole letters have nothing missing."""
    book = DeadLetterIndex({0: Span(0, 100)}, lambda: [buried(3)], "one")
    say_list(book.entries(), as_json=False)
    size = 2001 + sum(len(name) + len(value or b"") for name, value in OWN)
    assert f"bytes={size} omitted=value " in capsys.readouterr().out


@pytest.mark.parametrize("as_json", [True, False])
def test_a_letter_whose_record_is_gone_says_so(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    """It is not shown as if its value were empty; what is left of it is shown."""
    [letter] = open_letters(buried(3))
    say_letter(letter, "open", as_json=as_json)
    said = capsys.readouterr().out
    assert GONE in said
    assert "dlq_omitted_because" in said


def redriven(
    find: Callable[[StoredDeadLetter], Content | None], limit: float, *records: Record
) -> tuple[list[End], FakeProducer]:
    """What became of the letters among records, and what was written to topics of a limit."""

    def is_too_large(write: dict[str, Any]) -> bool:
        return record_bytes(write["key"], write["value"], write["headers"]) > limit

    producer = FakeProducer(is_too_large)
    redriver = Redriver("dlq", cast(Producer, producer), lambda _: (0, 1, 2), lambda: NOW, find)
    return list(redriver.redrive(open_letters(*records), lambda: False)), producer


def test_the_record_is_brought_home_from_its_place() -> None:
    """With its own headers and the count; one that is gone is told, and stays open."""
    [end], producer = redriven(lambda _: Content.of(ORIGINAL), 10_000, buried(3, form=BARE))
    assert (end.place, end.why) == (f"{TOPIC} 2:0", None)
    home = producer.written[0]
    assert (home["key"], home["value"]) == (b"k", b"x" * 2000)
    assert home["headers"] == [*OWN, (REDRIVES, "1")]
    [end], producer = redriven(lambda _: None, 10_000, buried(3))
    assert (end.place, producer.written) == (None, [])
    assert GONE in str(end.why)


def test_a_record_at_its_topic_s_limit_goes_home_without_the_count() -> None:
    """There is no room for it; the letter is marked like any other."""
    content = Content.of(ORIGINAL)
    [end], producer = redriven(lambda _: content, record_bytes(*content), buried(3))
    assert (end.place, end.why) == (f"{TOPIC} 2:0", None)
    home, marked = producer.written
    assert (home["headers"], marked["topic"]) == (OWN, "dlq")
