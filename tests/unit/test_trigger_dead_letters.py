"""Dead letters: how they are parsed, indexed, redriven and discarded."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import pytest
from confluent_kafka import Producer

from local.kafka_trigger.commands.dead_letters.actions import BATCH_SIZE, ActionResult
from local.kafka_trigger.commands.dead_letters.discard import Discarder
from local.kafka_trigger.commands.dead_letters.stored_dead_letter import FAILURE_METADATA, REDRIVES
from local.kafka_trigger.commands.dead_letters.trigger_format import parse_dead_letter
from local.kafka_trigger.commands.errors import Interrupted
from local.kafka_trigger.delivering.dead_letter import PREFIX
from local.kafka_trigger.record import Record
from tests.support.builders.dead_letters import (
    NOW,
    ORIGINAL_HEADERS,
    FakeProducer,
    dead_letter_record,
    index_of,
    marker,
    redriver_of,
)
from tests.support.builders.records import TOPIC, record


def states(*records: Record) -> dict[str, str]:
    """The states of the dead letters among records, by their IDs."""
    return {entry.dead_letter.id: entry.state for entry in index_of(*records).entries()}


def test_all_headers_that_a_dead_letter_adds_are_known() -> None:
    """A record that is redriven would keep any other."""
    headers = dead_letter_record(0, 0).headers() or ()
    added = {name for name, _ in headers} - {name for name, _ in ORIGINAL_HEADERS}
    assert added == {PREFIX + name for name in FAILURE_METADATA}


def test_a_record_is_redriven_with_its_own_headers_and_a_count() -> None:
    """The count grows with each redrive, and the failure metadata is left out."""
    dead_letter = parse_dead_letter(dead_letter_record(7, 0))
    assert dead_letter
    assert dead_letter.redriven_headers() == [*ORIGINAL_HEADERS, (REDRIVES, "1")]
    headers = [*ORIGINAL_HEADERS, (REDRIVES, b"4")]
    again = parse_dead_letter(dead_letter_record(7, 0, headers=headers))
    assert again
    assert again.redriven_headers() == [*ORIGINAL_HEADERS, (REDRIVES, "5")]


def test_an_index_has_the_dead_letters_of_one_trigger_in_their_order() -> None:
    """Those of other triggers, and other records, are left out."""
    other = dead_letter_record(1, 1, "two")
    foreign = record(2, headers=[("dlq_topic", b"t")])
    index = index_of(dead_letter_record(9, 0), other, foreign, dead_letter_record(8, 3))
    assert [entry.dead_letter.id for entry in index.entries()] == ["0:0", "0:3"]


def test_a_dead_letter_with_a_marker_is_redriven() -> None:
    """Wherever the marker is."""
    found = states(marker("0:1"), dead_letter_record(7, 0), dead_letter_record(8, 1))
    assert found == {"0:0": "open", "0:1": "redriven"}


def test_a_dead_letter_with_a_marker_of_the_other_kind_is_discarded() -> None:
    """One that has both is redriven."""
    dead_letters = dead_letter_record(7, 0), dead_letter_record(8, 1)
    markers = marker("0:1", "discarded"), marker("0:1"), marker("0:0", "discarded")
    assert states(*dead_letters, *markers) == {"0:0": "discarded", "0:1": "redriven"}


def test_two_copies_are_one_dead_letter() -> None:
    """A marker of either closes it, and either ID finds it."""
    copies = [dead_letter_record(7, 0), dead_letter_record(7, 1)]
    assert states(*copies) == {"0:0": "open"}
    closed = {"0:0": "redriven"}
    assert states(*copies, marker("0:0")) == states(*copies, marker("0:1")) == closed
    [entry] = index_of(*copies).entries()
    assert entry.ids == {"0:0", "0:1"}


@pytest.mark.parametrize("unknown", ["0:10000", "1:0", "0:-1", "0", "", "a:b", "0:0:0", "0:²"])
def test_a_marker_of_an_unknown_id_closes_nothing(unknown: str) -> None:
    """Whatever it says: anyone may write to the topic."""
    assert states(dead_letter_record(7, 0), marker(unknown)) == {"0:0": "open"}


def test_another_record_at_the_same_offset_is_another_dead_letter() -> None:
    """A topic that is created anew counts from 0 again."""
    null, empty = dead_letter_record(7, 0, value=None), dead_letter_record(7, 1, value=b"")
    assert len(states(null, empty)) == 2
    first, second = dead_letter_record(7, 0), dead_letter_record(7, 1, value=b"other")
    assert len(states(first, second, marker("0:0"))) == 2


def redrive(
    producer: FakeProducer,
    *records: Record,
    partitions: Sequence[int] = (0, 1, 2),
    batches: int = 1000,
) -> list[ActionResult]:
    """Redrive the dead letters among records; it is interrupted after so many batches."""
    stops = iter([False] * batches)
    redriver = redriver_of(producer, partitions)
    return list(redriver.redrive(index_of(*records).open(), lambda: next(stops, True)))


def test_a_record_is_redriven_and_then_marked() -> None:
    """To its own partition; the marker to that of the dead letter, with a key and a value."""
    producer = FakeProducer()
    [result] = redrive(producer, dead_letter_record(7, 3, key=b"k"))
    assert result.dead_letter.id == "0:3"
    assert (result.written_to, result.error) == (f"{TOPIC} 2:0", None)
    redriven, marked = producer.written
    assert (redriven["topic"], redriven["partition"]) == (TOPIC, 2)
    assert (redriven["key"], redriven["value"]) == (b"k", b"{}")
    assert (marked["topic"], marked["partition"]) == ("dlq", 0)
    assert marked["key"] == b"dlq_redriven 0:3"
    assert marked["headers"] == [("dlq_redriven", "0:3")]
    assert json.loads(marked["value"])["redriven"] == "0:3"


@pytest.mark.parametrize("raises", [False, True])
def test_a_record_that_is_not_acknowledged_is_not_marked(raises: bool) -> None:
    """The others are; it stays open, with the reason."""
    producer = FakeProducer(lambda write: write["value"] == b"big", raises)
    results = redrive(producer, dead_letter_record(7, 0, value=b"big"), dead_letter_record(8, 1))
    assert [(each.dead_letter.id, each.written_to, bool(each.error)) for each in results] == [
        ("0:0", None, True),
        ("0:1", f"{TOPIC} 2:0", False),
    ]
    markers = [write["headers"] for write in producer.written if write["topic"] == "dlq"]
    assert markers == [[("dlq_redriven", "0:1")]]


class SmallQueue(FakeProducer):
    """A producer whose queue holds one record, and none with the value `big`."""

    def produce(self, topic: str, on_delivery: Callable[..., None], **more: Any) -> None:
        """Queue a record if there is room."""
        if self.callbacks or more["value"] == b"big":
            raise BufferError
        super().produce(topic, on_delivery, **more)


def test_a_full_queue_is_flushed_and_a_record_larger_than_it_fails() -> None:
    """The others are redriven."""
    producer = SmallQueue()
    results = redrive(
        producer,
        dead_letter_record(7, 0),
        dead_letter_record(8, 1),
        dead_letter_record(9, 2, value=b"big"),
    )
    assert [bool(each.error) for each in results] == [False, False, True]
    assert [write["topic"] for write in producer.written] == [TOPIC, TOPIC, "dlq", "dlq"]


def test_a_marker_that_cannot_be_written_is_an_error() -> None:
    """Since the next redrive would write the record again."""
    producer = FakeProducer(lambda write: write["topic"] == "dlq")
    [result] = redrive(producer, dead_letter_record(7, 0))
    assert result.written_to
    assert "could not be marked" in str(result.error)


def test_a_dead_letter_whose_topic_or_partition_is_gone() -> None:
    """Without the topic it stays open; without the partition the key chooses one."""
    producer = FakeProducer()
    [result] = redrive(producer, dead_letter_record(7, 0), partitions=())
    assert result.written_to is None
    assert producer.written == []
    redrive(producer, dead_letter_record(7, 0), partitions=(0, 1))
    assert producer.written[0]["partition"] == -1


def test_a_redrive_can_be_interrupted_between_two_batches() -> None:
    """A batch that has begun is finished, and no other begins. After the last it is too late."""
    dead_letters = [dead_letter_record(offset, offset) for offset in range(BATCH_SIZE + 10)]
    producer = FakeProducer()
    with pytest.raises(Interrupted):
        redrive(producer, *dead_letters, batches=1)
    assert len(producer.written) == 2 * BATCH_SIZE
    assert len(redrive(producer, *dead_letters[:BATCH_SIZE], batches=1)) == BATCH_SIZE


def discard(
    producer: FakeProducer, *records: Record, stops: Iterator[bool] | None = None
) -> list[ActionResult]:
    """Discard the dead letters among records."""
    discarder = Discarder("dlq", cast(Producer, producer), lambda: NOW)
    open_ones = index_of(*records).open()
    return list(discarder.discard(open_ones, lambda: next(stops) if stops else False))


def test_a_dead_letter_that_is_discarded_gets_a_marker_and_nothing_else() -> None:
    """In its own partition, with a key and a value; one not acknowledged stays open."""
    producer = FakeProducer(lambda write: write["key"].endswith(b"0:4"))
    results = discard(producer, dead_letter_record(7, 3, key=b"k"), dead_letter_record(8, 4))
    assert [(each.dead_letter.id, bool(each.error)) for each in results] == [
        ("0:3", False),
        ("0:4", True),
    ]
    [marked] = producer.written
    assert (marked["topic"], marked["partition"]) == ("dlq", 0)
    assert (marked["key"], marked["headers"]) == (b"dlq_discarded 0:3", [("dlq_discarded", "0:3")])
    assert json.loads(marked["value"])["discarded"] == "0:3"


def test_a_discard_can_be_interrupted_between_two_batches() -> None:
    """A batch that has begun is finished, and no other begins."""
    producer, stops = FakeProducer(), iter([False, True])
    dead_letters = [dead_letter_record(offset, offset) for offset in range(BATCH_SIZE + 10)]
    with pytest.raises(Interrupted):
        discard(producer, *dead_letters, stops=stops)
    assert len(producer.written) == BATCH_SIZE
