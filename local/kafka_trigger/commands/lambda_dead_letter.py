"""The dead letters of AWS Lambda: what an event source mapping writes when it gives records up.

Source: https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html

To a topic it writes a letter for each record, with the record in `payload`. Where there is none,
`KafkaBatchInfo` tells where the records are: of each partition the first and the last offset in
`recordsInfo`, or of a single one the offset in `recordInfo`.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from local.kafka_trigger.commands.dead_letter import Content, StoredDeadLetter
from local.kafka_trigger.delivering.dead_letter_size import Header
from local.kafka_trigger.record import Record

SIGN = b'"KafkaBatchInfo"'
ANYWHERE = -1
MOST = 10_000  # records of one letter: no mapping takes more at once

Json = Mapping[str, Any]


class Place(NamedTuple):
    """Where a record was, and what it says, if the letter tells."""

    topic: str
    partition: int
    offset: int
    content: Content | None


def letters_of_lambda(record: Record, topic: str) -> list[StoredDeadLetter]:
    """The letters of a topic's records that a record holds; none if Lambda did not write it."""
    value = record.value() or b""
    if SIGN not in value:
        return []
    try:
        document = orjson.loads(value)
        told = _story(document)
        return [
            StoredDeadLetter(record, *place[:3], told, place.content, part)
            for part, place in enumerate(_places(document, topic))
            if place.topic == topic
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _places(document: Json, topic: str) -> Iterator[Place]:
    if payload := document.get("payload"):
        event = orjson.loads(payload) if isinstance(payload, str) else payload
        for records in event["records"].values():
            yield from map(_place, records)
        return
    info = document["KafkaBatchInfo"]
    if "recordsInfo" not in info:
        yield Place(topic, ANYWHERE, int(info["recordInfo"]["offset"]), None)
        return
    for place, between in info["recordsInfo"].items():
        name, _, partition = place.rpartition("-")
        first, last = int(between["firstRecordOffset"]), int(between["lastRecordOffset"])
        for offset in range(first, min(last, first + MOST - 1) + 1):
            yield Place(name, int(partition), offset, None)


def _place(record: Json) -> Place:
    headers: list[Header] = [
        (name, None if value is None else bytes(byte % 256 for byte in value))
        for header in record.get("headers") or ()
        for name, value in header.items()
    ]
    content = Content(_bytes(record.get("key")), _bytes(record.get("value")), headers)
    return Place(record["topic"], record["partition"], record["offset"], content)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)


def _story(document: Json) -> dict[str, str]:
    """What became of the records, in the words of our own letters."""
    request, response = document["requestContext"], document.get("responseContext") or {}
    why = [request["condition"], response.get("functionError")]
    return {
        "trigger": request["functionArn"],
        "status": str(response.get("statusCode", "none")),
        "attempts": str(request["approximateInvokeCount"]),
        "error": ": ".join(filter(None, why)),
        "time": document["timestamp"],
        "timestamp": _milliseconds(document["KafkaBatchInfo"]),
    }


def _milliseconds(info: Json) -> str:
    """When a single record was written, as Kafka tells it."""
    told = (info.get("recordInfo") or {}).get("timestamp")
    return str(round(datetime.fromisoformat(told).timestamp() * 1000)) if told else ""
