"""Kafka records for tests, as the client library returns them."""

from collections.abc import Iterable
from typing import Any, cast

import orjson
from confluent_kafka import Message

from local.kafka_trigger.record import Record

TOPIC = "matches"


def record(offset: int = 0, value: bytes | None = b"{}", **more: Any) -> Record:
    """A record of partition 0, by default with a key and nothing else."""
    message = Message(
        topic=more.pop("topic", TOPIC),
        partition=more.pop("partition", 0),
        offset=offset,
        key=more.pop("key", b"key"),
        value=value,
        **more,
    )
    return cast(Record, message)


def records(offsets: Iterable[int]) -> list[Record]:
    """A record for each offset."""
    return [record(offset) for offset in offsets]


def offsets(body: bytes) -> list[int]:
    """Return the offsets in the body of a CloudEvents batch."""
    return [int(event["kafkaoffset"]) for event in orjson.loads(body)]
