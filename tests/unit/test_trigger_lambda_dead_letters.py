"""The dead letters of AWS Lambda: how they are parsed, indexed and redriven."""

import json
from base64 import b64encode
from typing import Any

import pytest

from local.kafka_trigger.commands.dead_letters.stored_dead_letter import (
    GONE,
    REDRIVES,
    UNKNOWN_PARTITION,
    RecordContent,
    StoredDeadLetter,
)
from local.kafka_trigger.record import Record
from tests.support.builders.dead_letters import (
    FakeProducer,
    dead_letter_record,
    index_of,
    marker,
    redriver_of,
)
from tests.support.builders.lambda_dead_letters import (
    lambda_dead_letter,
    payload_record,
    without_payload,
)
from tests.support.builders.records import TOPIC, record

OFFSETS = {f"{TOPIC}-2": {"firstRecordOffset": "7", "lastRecordOffset": "8"}}
NAMES_ITS_RECORDS = without_payload(lambda_dead_letter(payload_record(7)), recordsInfo=OFFSETS)


def open_dead_letters(*records: Record, topic: str = TOPIC) -> list[StoredDeadLetter]:
    """The open dead letters of a topic's trigger among these records."""
    return list(index_of(*records, topic=topic).open())


def source(dead_letter: StoredDeadLetter) -> tuple[str, int, int]:
    """Where the original record was."""
    return dead_letter.topic, dead_letter.partition, dead_letter.offset


def test_a_dead_letter_of_lambda_holds_its_record() -> None:
    """With key, value and headers as they were, and with Lambda's reasons."""
    original = payload_record(7, partition=2, key=b"k", value=b"\xff", headers=[("a", b"1\xfe")])
    [dead_letter] = open_dead_letters(record(3, lambda_dead_letter(original), key=b"k"))
    assert (dead_letter.id, source(dead_letter)) == ("0:3", (TOPIC, 2, 7))
    assert dead_letter.original == RecordContent(b"k", b"\xff", [("a", b"1\xfe")])
    failure = dead_letter.failure
    assert failure.error == "RetriesExhausted: Unhandled"
    assert (failure.attempts, failure.status) == ("3", "200")
    assert failure.time == "2026-11-14T18:16:05.568Z"


def test_a_record_without_key_and_value_stays_so() -> None:
    """A tombstone has no value, and that is not an empty one."""
    original = payload_record(7, key=None, value=None)
    [dead_letter] = open_dead_letters(record(0, lambda_dead_letter(original), key=None))
    assert dead_letter.original == RecordContent(None, None, [])


def test_each_record_of_a_batch_is_a_dead_letter() -> None:
    """With an ID of its own, and a marker that closes it alone."""
    batch = record(5, lambda_dead_letter(*(payload_record(offset) for offset in (7, 8, 9))))
    assert [(each.id, each.offset) for each in open_dead_letters(batch)] == [
        ("0:5", 7),
        ("0:5.1", 8),
        ("0:5.2", 9),
    ]
    still_open = open_dead_letters(batch, marker("0:5"), marker("0:5.2"))
    assert [each.id for each in still_open] == ["0:5.1"]


def test_a_topic_may_hold_the_dead_letters_of_lambda_and_of_a_trigger() -> None:
    """Lambda's belong to the trigger of the record's topic, a trigger's to that of its name."""
    foreign = record(2, lambda_dead_letter(payload_record(9, topic="other")))
    found = open_dead_letters(
        dead_letter_record(1, 0), record(1, lambda_dead_letter(payload_record(8))), foreign
    )
    assert [each.id for each in found] == ["0:0", "0:1"]
    assert open_dead_letters(foreign, topic="other")[0].offset == 9


@pytest.mark.parametrize("repeated", [b"{}", b"other"])
def test_a_dead_letter_that_lambda_wrote_twice_is_one(repeated: bytes) -> None:
    """As long as its content is the same."""
    first, second = payload_record(7), payload_record(7, value=repeated)
    found = open_dead_letters(
        record(0, lambda_dead_letter(first)), record(1, lambda_dead_letter(second))
    )
    assert len(found) == (1 if repeated == b"{}" else 2)


def test_a_payload_may_be_text() -> None:
    """As it is where Lambda writes into a bucket."""
    document = json.loads(lambda_dead_letter(payload_record(7)))
    document["payload"] = json.dumps(document["payload"])
    [dead_letter] = open_dead_letters(record(0, json.dumps(document).encode()))
    assert dead_letter.offset == 7


def test_a_dead_letter_without_payload_names_its_records() -> None:
    """By partition and offset; Lambda does not tell the partition of a single one."""
    found = open_dead_letters(record(0, NAMES_ITS_RECORDS))
    assert [(source(each), each.original) for each in found] == [
        ((TOPIC, 2, 7), None),
        ((TOPIC, 2, 8), None),
    ]
    single: dict[str, Any] = {"offset": "9", "timestamp": "2022-12-18T15:36:00.001Z"}
    value = without_payload(lambda_dead_letter(payload_record(7)), recordInfo=single)
    [dead_letter] = open_dead_letters(record(0, value, key=b"k"))
    assert (source(dead_letter), dead_letter.key) == ((TOPIC, UNKNOWN_PARTITION, 9), b"k")
    assert dead_letter.original_timestamp == 1671377760001


def test_a_record_of_an_unknown_partition_is_known_by_its_key_and_timestamp() -> None:
    """Another partition may have a record at the same offset."""
    single = {"offset": "9", "timestamp": "2022-12-18T15:36:00.001Z"}
    value = without_payload(lambda_dead_letter(payload_record(7)), recordInfo=single)
    [dead_letter] = open_dead_letters(record(0, value, key=b"k"))
    assert dead_letter.is_of(record(9, key=b"k", timestamp=(1, 1671377760001)))
    assert not dead_letter.is_of(record(9, key=b"K", timestamp=(1, 1671377760001)))
    assert not dead_letter.is_of(record(9, key=b"k", timestamp=(1, 1671377760002)))
    assert not dead_letter.is_of(record(8, key=b"k", timestamp=(1, 1671377760001)))


@pytest.mark.parametrize(
    "value",
    [
        b'"KafkaBatchInfo"',
        b'{"KafkaBatchInfo": {}}',
        b'{"KafkaBatchInfo": {"recordInfo": {"offset": "x"}}, "requestContext": {}}',
        lambda_dead_letter(payload_record(7)).replace(b'"records"', b'"record"'),
        lambda_dead_letter(payload_record(7)).replace(b'"value": "', b'"value": "?'),
        lambda_dead_letter(payload_record(7)).replace(b'"timestamp": "', b'"timestamp": "?'),
    ],
)
def test_other_json_is_no_dead_letter_of_lambda(value: bytes) -> None:
    """Anyone may write to the topic."""
    assert open_dead_letters(record(0, value)) == []


def redrive(
    producer: FakeProducer, found: RecordContent | None, *records: Record
) -> list[str | None]:
    """Redrive the dead letters among records; returns the error of each, or None."""
    redriver = redriver_of(producer, find_original=lambda each: each.original or found)
    results = redriver.redrive(open_dead_letters(*records), lambda: False)
    return [result.error for result in results]


def test_the_record_is_redriven_and_not_the_dead_letter() -> None:
    """To its partition, with its own headers, and one that counts the redrives."""
    headers = [("ce_id", b"1"), (REDRIVES, b"1")]
    original = payload_record(7, partition=2, key=b"k", value=b"{1}", headers=headers)
    producer = FakeProducer()
    assert redrive(producer, None, record(3, lambda_dead_letter(original), key=b"k")) == [None]
    redriven, marked = producer.written
    assert (redriven["topic"], redriven["partition"]) == (TOPIC, 2)
    assert (redriven["key"], redriven["value"]) == (b"k", b"{1}")
    assert redriven["headers"] == [("ce_id", b"1"), (REDRIVES, "2")]
    assert marked["headers"] == [("dlq_redriven", "0:3")]


def test_a_record_that_is_only_named_is_found_in_its_topic() -> None:
    """One that is gone fails with that reason, and stays open."""
    dead_letter = record(3, NAMES_ITS_RECORDS)
    producer = FakeProducer()
    found = RecordContent(b"k", b"v", [("a", b"1")])
    assert redrive(producer, found, dead_letter) == [None, None]
    assert [write["value"] for write in producer.written[:2]] == [b"v", b"v"]
    producer = FakeProducer()
    assert all(GONE in str(error) for error in redrive(producer, None, dead_letter))
    assert producer.written == []


def test_the_payload_is_in_base64() -> None:
    """As AWS documents it: this sample is of its documentation, but for the numbers."""
    record_of_payload = payload_record(100, key=b"test-key", value=b"test-value")
    assert record_of_payload["value"] == b64encode(b"test-value").decode() == "dGVzdC12YWx1ZQ=="
