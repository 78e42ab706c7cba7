"""Dead letters as they are read, and brought home."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Producer

from local.kafka_trigger.commands.letter import REDRIVEN, REDRIVES, STORY, Letter
from local.kafka_trigger.commands.letter_book import LetterBook
from local.kafka_trigger.commands.redrive import AT_ONCE, End, Redriver
from local.kafka_trigger.dead_letter import PREFIX, DeadLetter, dead_letter_headers
from local.kafka_trigger.record import Record
from tests.records import TOPIC, record

NOW = datetime(2022, 12, 18, 15, 36, tzinfo=UTC)
OWN = [("a", b"1"), ("a", b"2"), ("dlq_mine", b"3"), ("null", None)]
REFUSED = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)


def buried(offset: int, at: int, trigger: str = "one", **of: Any) -> Record:
    """The dead letter, at this offset of its topic, of the record that had that offset."""
    original = record(offset, **{"headers": OWN, "partition": 2, **of})
    letter = DeadLetter(original, 422, 1, "why", "refused")
    headers = [
        (name, value.encode() if isinstance(value, str) else value)
        for name, value in dead_letter_headers(letter, trigger, NOW)
    ]
    return record(at, original.value(), key=original.key(), headers=headers)


def mark(of: str) -> Record:
    """The mark of a letter."""
    return record(99, headers=[(REDRIVEN, of.encode())])


def states(*records: Record) -> dict[str, str]:
    """What a trigger's book says of the letters among records."""
    book = LetterBook(records, "one")
    return {letter.id: book.state(letter) for letter in book.letters}


def test_all_that_a_burial_adds_is_known() -> None:
    """What is not in the list would come home with the record."""
    added = {name for name, _ in buried(0, 0).headers() or ()} - {name for name, _ in OWN}
    assert added == {PREFIX + name for name in STORY}


def test_a_letter_goes_home_with_its_own_headers_and_a_count() -> None:
    """Once more each time, and never with its story."""
    letter = Letter.of(buried(7, 0))
    assert letter
    assert letter.headers_at_home() == [*OWN, (REDRIVES, "1")]
    again = Letter.of(buried(7, 0, headers=[*OWN, (REDRIVES, b"4")]))
    assert again
    assert again.headers_at_home() == [*OWN, (REDRIVES, "5")]


def test_a_book_has_the_letters_of_one_trigger_in_their_original_order() -> None:
    """What others buried, or nobody, is none of its."""
    other, foreign = buried(1, 1, "two"), record(2, headers=[("dlq_topic", b"t")])
    assert states(buried(9, 0), other, foreign, buried(8, 3)) == {"0:3": "open", "0:0": "open"}


def test_a_letter_with_a_mark_is_redriven() -> None:
    """Wherever the mark is."""
    assert states(mark("0:1"), buried(7, 0), buried(8, 1)) == {"0:0": "open", "0:1": "redriven"}


def test_a_record_that_was_buried_twice_is_one_letter() -> None:
    """A mark of either closes it, and either id finds it."""
    copies = [buried(7, 0), buried(7, 1)]
    assert states(*copies) == {"0:0": "open"}
    assert states(*copies, mark("0:0")) == states(*copies, mark("0:1")) == {"0:0": "redriven"}
    book = LetterBook(copies, "one")
    assert book.find("0:1") is book.find("0:0") is book.letters[0]
    assert book.find("0:2") is None


def test_another_record_of_the_same_place_is_another_letter() -> None:
    """A topic that was made anew counts from 0 again."""
    assert len(states(buried(7, 0), buried(7, 1, value=b"other"), mark("0:0"))) == 2


@dataclass
class FakeProducer:
    """A producer that acknowledges all but what `refuses` says, at its flush."""

    refuses: Callable[[dict[str, Any]], bool] = lambda _: False
    at_once: bool = False
    written: list[dict[str, Any]] = field(default_factory=list)
    reports: list[Callable[[], None]] = field(default_factory=list)

    def produce(self, topic: str, on_delivery: Callable[..., None], **more: Any) -> None:
        """Queue a record, or refuse it at once."""
        write = {"topic": topic, **more}
        if self.refuses(write):
            if self.at_once:
                raise KafkaException(REFUSED)
            self.reports.append(lambda: on_delivery(REFUSED, None))
            return
        self.written.append(write)
        place = record(len(self.written) - 1, partition=more["partition"])
        self.reports.append(lambda: on_delivery(None, place))

    def flush(self) -> int:
        """Report all."""
        while self.reports:
            self.reports.pop(0)()
        return 0


def redriven(
    producer: FakeProducer,
    *records: Record,
    partitions: Sequence[int] = (0, 1, 2),
    parts: int = 1000,
) -> list[End]:
    """What became of the letters among records; it is interrupted after so many parts."""
    redriver = Redriver("dlq", cast(Producer, producer), lambda _: partitions, lambda: NOW)
    stops = iter([False] * parts)
    return list(redriver.redrive(LetterBook(records, "one").open(), lambda: next(stops, True)))


def test_a_letter_is_marked_after_it_came_home() -> None:
    """To its own partition, and the mark to that of the letter, with a key and a value."""
    producer = FakeProducer()
    [end] = redriven(producer, buried(7, 3, key=b"k"))
    assert (end.letter.id, end.place, end.why) == ("0:3", f"{TOPIC} 2:0", None)
    home, marked = producer.written
    assert (home["topic"], home["partition"], home["key"], home["value"]) == (TOPIC, 2, b"k", b"{}")
    assert (marked["topic"], marked["partition"]) == ("dlq", 0)
    assert marked["key"] == b"dlq_redriven 0:3"
    assert marked["headers"] == [(REDRIVEN, "0:3")]
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
            [(REDRIVEN, "0:1")]
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
    """What was begun is finished, and told; no other is begun."""
    letters = [buried(offset, offset) for offset in range(AT_ONCE + 10)]
    producer = FakeProducer()
    assert len(redriven(producer, *letters, parts=1)) == AT_ONCE
    assert len(producer.written) == 2 * AT_ONCE
