"""Dead letters of records that were too large for the topic: parsed, printed and redriven."""

from collections.abc import Callable
from typing import Any

import pytest

from local.kafka_trigger.commands.dead_letters.actions import ActionResult
from local.kafka_trigger.commands.dead_letters.printing import print_dead_letter, print_list
from local.kafka_trigger.commands.dead_letters.stored_dead_letter import (
    GONE,
    REDRIVES,
    RecordContent,
    StoredDeadLetter,
)
from local.kafka_trigger.delivering.dead_letter_size import SMALLER, DeadLetterSize, record_bytes
from local.kafka_trigger.record import Record
from tests.support.builders.dead_letters import (
    ORIGINAL_HEADERS,
    FakeProducer,
    dead_letter_of,
    index_of,
    marker,
    redriver_of,
)
from tests.support.builders.records import TOPIC, record

FACTS: dict[str, Any] = {
    "offset": 7,
    "value": b"x" * 2000,
    "key": b"k",
    "headers": ORIGINAL_HEADERS,
    "partition": 2,
    "timestamp": (1, 5),
}
ORIGINAL = record(**FACTS)
WITHOUT_VALUE, *_, WITHOUT_ANYTHING = SMALLER


def reduced(dlq_offset: int, original: Record = ORIGINAL) -> Record:
    """A dead letter that had no room for its record's value."""
    return dead_letter_of(original, dlq_offset, size=WITHOUT_VALUE)


def open_dead_letters(*records: Record) -> list[StoredDeadLetter]:
    """The open dead letters among records."""
    return list(index_of(*records).open())


@pytest.mark.parametrize("size", SMALLER)
def test_a_reduced_dead_letter_is_parsed_without_its_record(size: DeadLetterSize) -> None:
    """It has its record's topic, partition and offset, and recognizes that record."""
    [dead_letter] = open_dead_letters(dead_letter_of(ORIGINAL, 3, size=size))
    assert (dead_letter.original, dead_letter.omitted) == (None, size.omits)
    source = dead_letter.topic, dead_letter.partition, dead_letter.offset
    assert source == (TOPIC, 2, 7)
    assert dead_letter.is_of(ORIGINAL)


@pytest.mark.parametrize(
    "other",
    [
        {"offset": 8},
        {"value": b"y" * 1999},
        {"key": b"K"},
        {"timestamp": (1, 6)},
        {"headers": []},
    ],
)
def test_another_record_at_its_offset_is_not_mistaken_for_it(other: dict[str, Any]) -> None:
    """The topic may have been created anew since then."""
    [dead_letter] = open_dead_letters(reduced(3))
    assert not dead_letter.is_of(record(**{**FACTS, **other}))


def test_copies_are_known_by_size_and_timestamp() -> None:
    """The content is not there to be compared; a topic created anew has other records."""
    other = record(**{**FACTS, "timestamp": (1, 6)})
    assert [each.id for each in open_dead_letters(reduced(3), reduced(4))] == ["0:3"]
    assert open_dead_letters(reduced(3), reduced(4), marker("0:4")) == []
    assert [each.id for each in open_dead_letters(reduced(3), reduced(4, other))] == ["0:3", "0:4"]


def test_a_size_or_timestamp_that_is_no_number_belongs_to_no_record() -> None:
    """Anyone may write to the topic."""
    headers = [
        (name, b"x" if name.startswith("dlq_record") else value)
        for name, value in reduced(3).headers() or ()
    ]
    [dead_letter] = open_dead_letters(record(3, b"", key=b"k", headers=headers))
    assert not dead_letter.is_of(ORIGINAL)


def test_the_list_has_the_omitted_parts_and_the_size(capsys: pytest.CaptureFixture[str]) -> None:
    """The size is that of the original record."""
    print_list(index_of(reduced(3)).entries(), as_json=False)
    size = 2001 + sum(len(name) + len(value or b"") for name, value in ORIGINAL_HEADERS)
    assert f"bytes={size} omitted=value " in capsys.readouterr().out


@pytest.mark.parametrize("as_json", [True, False])
def test_a_dead_letter_whose_record_is_gone_is_shown_as_such(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    """And not as if its value were empty; what is left of it is shown."""
    [dead_letter] = open_dead_letters(reduced(3))
    print_dead_letter(dead_letter, "open", as_json=as_json)
    output = capsys.readouterr().out
    assert GONE in output
    assert "dlq_omitted_because" in output


def redrive(
    find_original: Callable[[StoredDeadLetter], RecordContent | None],
    limit: float,
    *records: Record,
) -> tuple[list[ActionResult], FakeProducer]:
    """Redrive the dead letters among records to topics that have a limit in bytes."""

    def is_too_large(write: dict[str, Any]) -> bool:
        return record_bytes(write["key"], write["value"], write["headers"]) > limit

    producer = FakeProducer(is_too_large)
    redriver = redriver_of(producer, find_original=find_original)
    return list(redriver.redrive(open_dead_letters(*records), lambda: False)), producer


def test_the_record_is_redriven_from_its_own_topic() -> None:
    """With its own headers and the count; one that is gone fails, and stays open."""
    without_anything = dead_letter_of(ORIGINAL, 3, size=WITHOUT_ANYTHING)
    [result], producer = redrive(lambda _: RecordContent.of(ORIGINAL), 10_000, without_anything)
    assert (result.written_to, result.error) == (f"{TOPIC} 2:0", None)
    redriven = producer.written[0]
    assert (redriven["key"], redriven["value"]) == (b"k", b"x" * 2000)
    assert redriven["headers"] == [*ORIGINAL_HEADERS, (REDRIVES, "1")]
    [result], producer = redrive(lambda _: None, 10_000, reduced(3))
    assert (result.written_to, producer.written) == (None, [])
    assert GONE in str(result.error)


def test_a_record_at_its_topics_limit_is_redriven_without_the_count() -> None:
    """There is no room for it; the dead letter is marked like any other."""
    content = RecordContent.of(ORIGINAL)
    [result], producer = redrive(lambda _: content, record_bytes(*content), reduced(3))
    assert (result.written_to, result.error) == (f"{TOPIC} 2:0", None)
    redriven, marked = producer.written
    assert (redriven["headers"], marked["topic"]) == (ORIGINAL_HEADERS, "dlq")
