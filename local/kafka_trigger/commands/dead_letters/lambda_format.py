"""Parsing the dead letters of AWS Lambda's event source mapping.

Source: https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html

It writes JSON to the topic, with the records in `payload`. Without a payload, `KafkaBatchInfo`
tells where the records are: `recordsInfo` has the first and the last offset of each partition,
or `recordInfo` the offset of a single record.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from local.kafka_trigger.commands.dead_letters.stored_dead_letter import (
    UNKNOWN_PARTITION,
    FailureMetadata,
    RecordContent,
    StoredDeadLetter,
)
from local.kafka_trigger.delivering.dead_letter_size import Header
from local.kafka_trigger.record import Record

SIGNATURE = b'"KafkaBatchInfo"'
MAX_RECORDS = 10_000  # in a dead letter: no mapping has larger batches

Json = Mapping[str, Any]


class FailedRecord(NamedTuple):
    """A record that a dead letter names: where it was, and its content if that is there."""

    topic: str
    partition: int
    offset: int
    content: RecordContent | None


def parse_lambda_dead_letters(record: Record, topic: str) -> list[StoredDeadLetter]:
    """Parse a record of a dead-letter topic into the dead letters of `topic` that it holds.

    The list is empty if Lambda did not write the record.
    """
    value = record.value() or b""
    if SIGNATURE not in value:
        return []
    try:
        document = orjson.loads(value)
        failure = _failure_metadata(document)
        timestamp = _timestamp(document["KafkaBatchInfo"])
        return [
            StoredDeadLetter(
                dlq_record=record,
                part=part,
                topic=failed.topic,
                partition=failed.partition,
                offset=failed.offset,
                original=failed.content,
                failure=failure,
                original_timestamp=timestamp,
            )
            for part, failed in enumerate(_failed_records(document, topic))
            if failed.topic == topic
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _failed_records(document: Json, topic: str) -> Iterator[FailedRecord]:
    if payload := document.get("payload"):
        event = orjson.loads(payload) if isinstance(payload, str) else payload
        for records in event["records"].values():
            yield from map(_from_payload, records)
        return
    info = document["KafkaBatchInfo"]
    if "recordsInfo" not in info:
        yield FailedRecord(topic, UNKNOWN_PARTITION, int(info["recordInfo"]["offset"]), None)
        return
    for topic_partition, offsets in info["recordsInfo"].items():
        name, _, partition = topic_partition.rpartition("-")
        first, last = int(offsets["firstRecordOffset"]), int(offsets["lastRecordOffset"])
        for offset in range(first, min(last, first + MAX_RECORDS - 1) + 1):
            yield FailedRecord(name, int(partition), offset, None)


def _from_payload(record: Json) -> FailedRecord:
    headers: list[Header] = [
        (name, None if value is None else bytes(byte % 256 for byte in value))
        for header in record.get("headers") or ()
        for name, value in header.items()
    ]
    content = RecordContent(_bytes(record.get("key")), _bytes(record.get("value")), headers)
    return FailedRecord(record["topic"], record["partition"], record["offset"], content)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)


def _failure_metadata(document: Json) -> FailureMetadata:
    request, response = document["requestContext"], document.get("responseContext") or {}
    reasons = [request["condition"], response.get("functionError")]
    return FailureMetadata(
        trigger=request["functionArn"],
        status=str(response.get("statusCode", "none")),
        attempts=str(request["approximateInvokeCount"]),
        error=": ".join(filter(None, reasons)),
        time=document["timestamp"],
    )


def _timestamp(info: Json) -> int | None:
    """Return the timestamp of a single record in milliseconds since 1970, as Kafka has it."""
    text = (info.get("recordInfo") or {}).get("timestamp")
    return round(datetime.fromisoformat(text).timestamp() * 1000) if text else None
