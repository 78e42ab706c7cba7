"""Dead letters as they are read, brought home and discarded."""

import json
from collections.abc import Sequence
from typing import cast

import pytest
from confluent_kafka import Producer

from local.kafka_trigger.commands.dead_letter import REDRIVES, STORY, StoredDeadLetter
from local.kafka_trigger.commands.dead_letter_index import DeadLetterIndex
from local.kafka_trigger.commands.discard import Discarder
from local.kafka_trigger.commands.errors import Interrupted
from local.kafka_trigger.commands.marks import AT_ONCE, End
from local.kafka_trigger.commands.redrive import Redriver
from local.kafka_trigger.commands.topic_reader import Span
from local.kafka_trigger.delivering.dead_letter import PREFIX
from local.kafka_trigger.record import Record
from tests.support.builders.dead_letters import NOW, OWN, FakeProducer, buried, mark
from tests.support.builders.records import TOPIC, record


def book_of(*records: Record) -> DeadLetterIndex:
    """A trigger's book of a partition with these records."""
    return DeadLetterIndex({0: Span(0, 10_000)}, lambda: records, "one")


def states(*records: Record) -> dict[str, str]:
    """What a trigger's book says of the letters among records."""
    return {entry.letter.id: entry.state for entry in book_of(*records).entries()}


def test_all_that_a_burial_adds_is_known() -> None:
    """What is not in the list would come home with the record."""
    added = {name for name, _ in buried(0, 0).headers() or ()} - {name for name, _ in OWN}
    assert added == {PREFIX + name for name in STORY}


def test_a_letter_goes_home_with_its_own_headers_and_a_count() -> None:
    """Once more each time, and never with its story."""
    letter = StoredDeadLetter.of(buried(7, 0))
    assert letter
    assert letter.headers_at_home() == [*OWN, (REDRIVES, "1")]
    again = StoredDeadLetter.of(buried(7, 0, headers=[*OWN, (REDRIVES, b"4")]))
    assert again
    assert again.headers_at_home() == [*OWN, (REDRIVES, "5")]


def test_a_book_has_the_letters_of_one_trigger_in_the_order_of_their_burial() -> None:
    """What others buried, or nobody, is none of its."""
    other, foreign = buried(1, 1, "two"), record(2, headers=[("dlq_topic", b"t")])
    found = book_of(buried(9, 0), other, foreign, buried(8, 3)).entries()
    assert [entry.letter.id for entry in found] == ["0:0", "0:3"]


def test_a_letter_with_a_mark_is_redriven() -> None:
    """Wherever the mark is."""
    assert states(mark("0:1"), buried(7, 0), buried(8, 1)) == {"0:0": "open", "0:1": "redriven"}


def test_a_letter_with_a_mark_of_another_kind_is_discarded() -> None:
    """Of one that has both, that it was redriven counts for more."""
    letters = buried(7, 0), buried(8, 1)
    of_both = mark("0:1", "discarded"), mark("0:1"), mark("0:0", "discarded")
    assert states(*letters, *of_both) == {"0:0": "discarded", "0:1": "redriven"}


def test_a_record_that_was_buried_twice_is_one_letter() -> None:
    """A mark of either closes it, and either id finds it."""
    copies = [buried(7, 0), buried(7, 1)]
    assert states(*copies) == {"0:0": "open"}
    assert states(*copies, mark("0:0")) == states(*copies, mark("0:1")) == {"0:0": "redriven"}
    [entry] = book_of(*copies).entries()
    assert entry.ids == {"0:0", "0:1"}


@pytest.mark.parametrize("of", ["0:10000", "1:0", "0:-1", "0", "", "a:b", "0:0:0", "0:²"])
def test_a_mark_of_what_is_not_there_closes_nothing(of: str) -> None:
    """Whatever it says: anyone may write to the topic."""
    assert states(buried(7, 0), mark(of)) == {"0:0": "open"}


def test_another_record_of_the_same_place_is_another_letter() -> None:
    """A topic that was made anew counts from 0 again."""
    assert len(states(buried(7, 0, value=None), buried(7, 1, value=b""))) == 2
    assert len(states(buried(7, 0), buried(7, 1, value=b"other"), mark("0:0"))) == 2


def redriven(
    producer: FakeProducer,
    *records: Record,
    partitions: Sequence[int] = (0, 1, 2),
    parts: int = 1000,
) -> list[End]:
    """What became of the letters among records; it is interrupted after so many parts."""
    redriver = Redriver("dlq", cast(Producer, producer), lambda _: partitions, lambda: NOW)
    stops = iter([False] * parts)
    return list(redriver.redrive(book_of(*records).open(), lambda: next(stops, True)))


def test_a_letter_is_marked_after_it_came_home() -> None:
    """To its own partition, and the mark to that of the letter, with a key and a value."""
    producer = FakeProducer()
    [end] = redriven(producer, buried(7, 3, key=b"k"))
    assert (end.letter.id, end.place, end.why) == ("0:3", f"{TOPIC} 2:0", None)
    home, marked = producer.written
    assert (home["topic"], home["partition"], home["key"], home["value"]) == (TOPIC, 2, b"k", b"{}")
    assert (marked["topic"], marked["partition"]) == ("dlq", 0)
    assert marked["key"] == b"dlq_redriven 0:3"
    assert marked["headers"] == [("dlq_redriven", "0:3")]
    assert json.loads(marked["value"])["redriven"] == "0:3"


def test_what_is_not_acknowledged_is_not_marked() -> None:
    """The others are; it stays open, with why."""
    for at_once in (False, True):
        producer = FakeProducer(lambda write: write["value"] == b"big", at_once)
        ends = redriven(producer, buried(7, 0, value=b"big"), buried(8, 1))
        assert [(end.letter.id, end.place, bool(end.why)) for end in ends] == [
            ("0:0", None, True),
            ("0:1", f"{TOPIC} 2:0", False),
        ]
        assert [write["headers"] for write in producer.written if write["topic"] == "dlq"] == [
            [("dlq_redriven", "0:1")]
        ]


def test_a_mark_that_cannot_be_written_is_told() -> None:
    """Since the next redrive would bring the record again."""
    [end] = redriven(FakeProducer(lambda write: write["topic"] == "dlq"), buried(7, 0))
    assert end.place
    assert "could not be marked" in str(end.why)


def test_a_letter_whose_topic_or_partition_is_gone() -> None:
    """Without the topic it stays; without the partition its key decides."""
    producer = FakeProducer()
    [end] = redriven(producer, buried(7, 0), partitions=())
    assert end.place is None
    assert producer.written == []
    redriven(producer, buried(7, 0), partitions=(0, 1))
    assert producer.written[0]["partition"] == -1


def test_a_redrive_can_be_interrupted_between_its_parts() -> None:
    """What was begun is finished; no other is begun. After the last one it is too late."""
    letters = [buried(offset, offset) for offset in range(AT_ONCE + 10)]
    producer = FakeProducer()
    with pytest.raises(Interrupted):
        redriven(producer, *letters, parts=1)
    assert len(producer.written) == 2 * AT_ONCE
    assert len(redriven(producer, *letters[:AT_ONCE], parts=1)) == AT_ONCE


def test_a_letter_that_is_discarded_has_a_mark_and_nothing_else() -> None:
    """In its own partition, with a key and a value; what is not acknowledged stays open."""
    producer = FakeProducer(lambda write: write["key"].endswith(b"0:4"))
    letters = book_of(buried(7, 3, key=b"k"), buried(8, 4)).open()
    discarder = Discarder("dlq", cast(Producer, producer), lambda: NOW)
    ends = list(discarder.discard(letters, lambda: False))
    assert [(end.letter.id, bool(end.why)) for end in ends] == [("0:3", False), ("0:4", True)]
    [marked] = producer.written
    assert (marked["topic"], marked["partition"]) == ("dlq", 0)
    assert (marked["key"], marked["headers"]) == (b"dlq_discarded 0:3", [("dlq_discarded", "0:3")])
    assert json.loads(marked["value"])["discarded"] == "0:3"


def test_a_discard_can_be_interrupted_between_its_parts() -> None:
    """What was begun is finished; no other is begun."""
    producer, stops = FakeProducer(), iter([False, True])
    letters = book_of(*(buried(offset, offset) for offset in range(AT_ONCE + 10))).open()
    with pytest.raises(Interrupted):
        list(Discarder("dlq", cast(Producer, producer)).discard(letters, lambda: next(stops)))
    assert len(producer.written) == AT_ONCE
