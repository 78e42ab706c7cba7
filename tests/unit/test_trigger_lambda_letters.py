"""The dead letters of AWS Lambda as they are read, and brought home."""

import json
from base64 import b64encode
from typing import Any, cast

import pytest
from confluent_kafka import Producer

from local.kafka_trigger.commands.dead_letter import GONE, REDRIVES, Content, StoredDeadLetter
from local.kafka_trigger.commands.dead_letter_index import DeadLetterIndex
from local.kafka_trigger.commands.redrive import Redriver
from local.kafka_trigger.commands.topic_reader import Span
from local.kafka_trigger.record import Record
from tests.support.builders.dead_letters import NOW, FakeProducer, buried, mark
from tests.support.builders.lambda_dead_letters import lambda_letter, payload_record
from tests.support.builders.records import TOPIC, record


def letters(*records: Record, topic: str = TOPIC) -> list[StoredDeadLetter]:
    """The open letters that a trigger's book of a partition with these records has."""
    return list(DeadLetterIndex({0: Span(0, 10_000)}, lambda: records, "one", topic).open())


def test_a_letter_of_lambda_is_the_record_that_it_holds() -> None:
    """With key, value and headers as they were, and with what Lambda says of it."""
    was = payload_record(7, partition=2, key=b"k", value=b"\xff", headers=[("a", b"1\xfe")])
    [letter] = letters(record(3, lambda_letter(was), key=b"k"))
    assert (letter.id, letter.place) == ("0:3", (TOPIC, 2, 7))
    assert letter.content == Content(b"k", b"\xff", [("a", b"1\xfe")])
    assert letter.told["error"] == "RetriesExhausted: Unhandled"
    assert (letter.told["attempts"], letter.told["status"]) == ("3", "200")
    assert letter.told["time"] == "2026-11-14T18:16:05.568Z"


def test_a_record_without_key_and_value_stays_so() -> None:
    """A tombstone has no value, and that is not an empty one."""
    was = payload_record(7, key=None, value=None)
    [letter] = letters(record(0, lambda_letter(was), key=None))
    assert letter.content == Content(None, None, [])


def test_a_batch_in_one_letter_is_a_letter_for_each_record() -> None:
    """Each has an id of its own, and a mark that closes it alone."""
    batch = record(5, lambda_letter(*(payload_record(offset) for offset in (7, 8, 9))))
    assert [(each.id, each.offset) for each in letters(batch)] == [
        ("0:5", 7),
        ("0:5.1", 8),
        ("0:5.2", 9),
    ]
    assert [each.id for each in letters(batch, mark("0:5"), mark("0:5.2"))] == ["0:5.1"]


def test_letters_of_both_kinds_lie_side_by_side() -> None:
    """Those of Lambda are whose topic they are from, as those of a trigger are whose name it is."""
    foreign = record(2, lambda_letter(payload_record(9, topic="other")))
    found = letters(buried(1, 0), record(1, lambda_letter(payload_record(8))), foreign)
    assert [each.id for each in found] == ["0:0", "0:1"]
    assert letters(foreign, topic="other")[0].offset == 9


@pytest.mark.parametrize("repeated", [b"{}", b"other"])
def test_a_letter_that_lambda_wrote_twice_is_one(repeated: bytes) -> None:
    """As long as its content is the same."""
    first, second = payload_record(7), payload_record(7, value=repeated)
    found = letters(record(0, lambda_letter(first)), record(1, lambda_letter(second)))
    assert len(found) == (1 if repeated == b"{}" else 2)


def test_a_payload_may_be_text() -> None:
    """As it is where Lambda writes into a bucket."""
    document = json.loads(lambda_letter(payload_record(7)))
    document["payload"] = json.dumps(document["payload"])
    [letter] = letters(record(0, json.dumps(document).encode()))
    assert letter.offset == 7


def without_payload(**info: Any) -> bytes:
    """A letter that only tells where its records are."""
    document = json.loads(lambda_letter(payload_record(7)))
    del document["payload"], document["KafkaBatchInfo"]["recordInfo"]
    document["KafkaBatchInfo"] |= info
    return json.dumps(document).encode()


RANGE = {f"{TOPIC}-2": {"firstRecordOffset": "7", "lastRecordOffset": "8"}}


def test_a_letter_without_payload_names_the_records() -> None:
    """By partition and offset; of a single one Lambda tells no partition."""
    found = letters(record(0, without_payload(recordsInfo=RANGE)))
    assert [(each.place, each.content) for each in found] == [
        ((TOPIC, 2, 7), None),
        ((TOPIC, 2, 8), None),
    ]
    single = {"offset": "9", "timestamp": "2022-12-18T15:36:00.001Z"}
    [letter] = letters(record(0, without_payload(recordInfo=single), key=b"k"))
    assert (letter.place, letter.key) == ((TOPIC, -1, 9), b"k")
    assert letter.told["timestamp"] == "1671377760001"


@pytest.mark.parametrize(
    "value",
    [
        b'"KafkaBatchInfo"',
        b'{"KafkaBatchInfo": {}}',
        b'{"KafkaBatchInfo": {"recordInfo": {"offset": "x"}}, "requestContext": {}}',
        lambda_letter(payload_record(7)).replace(b'"records"', b'"record"'),
        lambda_letter(payload_record(7)).replace(b'"value": "', b'"value": "?'),
        lambda_letter(payload_record(7)).replace(b'"timestamp": "', b'"timestamp": "?'),
    ],
)
def test_what_only_looks_like_a_letter_of_lambda_is_none(value: bytes) -> None:
    """Anyone may write to the topic."""
    assert letters(record(0, value)) == []


def redriven(producer: FakeProducer, found: Content | None, *records: Record) -> list[str | None]:
    """Why each of the letters among records was not brought home, if it was not."""
    redriver = Redriver(
        "dlq",
        cast(Producer, producer),
        lambda _: (0, 1, 2),
        lambda: NOW,
        find=lambda letter: letter.content or found,
    )
    return [end.why for end in redriver.redrive(letters(*records), lambda: False)]


def test_the_record_and_not_the_letter_goes_home() -> None:
    """To its partition, with its own headers, and one that counts how often it was there."""
    headers = [("ce_id", b"1"), (REDRIVES, b"1")]
    was = payload_record(7, partition=2, key=b"k", value=b"{1}", headers=headers)
    producer = FakeProducer()
    assert redriven(producer, None, record(3, lambda_letter(was), key=b"k")) == [None]
    home, marked = producer.written
    assert (home["topic"], home["partition"], home["key"], home["value"]) == (
        TOPIC,
        2,
        b"k",
        b"{1}",
    )
    assert home["headers"] == [("ce_id", b"1"), (REDRIVES, "2")]
    assert marked["headers"] == [("dlq_redriven", "0:3")]


def test_a_record_that_is_in_its_topic_only_is_looked_for() -> None:
    """One that is gone is told, and stays open."""
    letter = record(3, without_payload(recordsInfo=RANGE))
    producer = FakeProducer()
    assert redriven(producer, Content(b"k", b"v", [("a", b"1")]), letter) == [None, None]
    assert [write["value"] for write in producer.written[:2]] == [b"v", b"v"]
    producer = FakeProducer()
    assert all(GONE in str(why) for why in redriven(producer, None, letter))
    assert producer.written == []


def test_the_payload_is_in_base64() -> None:
    """As AWS documents it: this sample is of its documentation, but for the numbers."""
    record_of_payload = payload_record(100, key=b"test-key", value=b"test-value")
    assert record_of_payload["value"] == b64encode(b"test-value").decode() == "dGVzdC12YWx1ZQ=="
