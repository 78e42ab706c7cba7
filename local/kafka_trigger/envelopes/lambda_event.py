"""AWS Lambda's event for self-managed Kafka, as its event source mapping sends it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import orjson

from local.kafka_trigger.envelopes.payload import JSON, Payload
from local.kafka_trigger.record import Record

TIMESTAMP_TYPES = {1: "CREATE_TIME", 2: "LOG_APPEND_TIME"}


class LambdaEvent:
    """Encodes records as Lambda does; `bootstrap_servers` is copied into each event."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._source = {
            "eventSource": "SelfManagedKafka",
            "bootstrapServers": bootstrap_servers,
        }

    def __call__(self, records: Sequence[Record]) -> Payload:
        """Encode records of one partition as an event, in their order."""
        topic_partition = f"{records[0].topic()}-{records[0].partition()}"
        encoded = {topic_partition: [_record(each) for each in records]}
        return Payload(JSON, orjson.dumps({**self._source, "records": encoded}))


def _record(record: Record) -> dict[str, Any]:
    """One record; without a key, or without a value, the event has no such member."""
    timestamp_type, milliseconds = record.timestamp()
    event: dict[str, Any] = {
        "topic": record.topic(),
        "partition": record.partition(),
        "offset": record.offset(),
        "timestamp": milliseconds if timestamp_type in TIMESTAMP_TYPES else -1,
        "timestampType": TIMESTAMP_TYPES.get(timestamp_type, "NO_TIMESTAMP_TYPE"),
        "headers": [{name: _signed_bytes(value or b"")} for name, value in record.headers() or ()],
    }
    for name, content in (("key", record.key()), ("value", record.value())):
        if content is not None:
            event[name] = b64encode(content).decode()
    return event


def _signed_bytes(value: bytes) -> list[int]:
    """Bytes from -128 to 127, as Java has them."""
    return [byte - 256 if byte > 127 else byte for byte in value]
