"""AWS Lambda's event of a self-managed Kafka, as its event source mapping sends it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import orjson

from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.envelopes.attributes import JSON
from local.kafka_trigger.envelopes.payload import Payload

TIMESTAMP_TYPES = {1: "CREATE_TIME", 2: "LOG_APPEND_TIME"}


class LambdaEvent:
    """Encodes records as Lambda does; `bootstrap_servers` is what the events say of the broker."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._common = {
            "eventSource": "SelfManagedKafka",
            "bootstrapServers": bootstrap_servers,
        }

    def __call__(self, records: Sequence[Record]) -> Payload:
        """Put records of one partition into an event, in their order."""
        place = f"{records[0].topic()}-{records[0].partition()}"
        event = {**self._common, "records": {place: [_record(each) for each in records]}}
        return Payload(JSON, orjson.dumps(event))


def _record(record: Record) -> dict[str, Any]:
    """One record; without a key, or without a value, the event has no such member."""
    kind, milliseconds = record.timestamp()
    event: dict[str, Any] = {
        "topic": record.topic(),
        "partition": record.partition(),
        "offset": record.offset(),
        "timestamp": milliseconds if kind in TIMESTAMP_TYPES else -1,
        "timestampType": TIMESTAMP_TYPES.get(kind, "NO_TIMESTAMP_TYPE"),
        "headers": [{name: _signed(value or b"")} for name, value in record.headers() or ()],
    }
    for name, content in (("key", record.key()), ("value", record.value())):
        if content is not None:
            event[name] = b64encode(content).decode()
    return event


def _signed(value: bytes) -> list[int]:
    """Bytes from -128 to 127, since Lambda sends Java's."""
    return [byte - 256 if byte > 127 else byte for byte in value]
