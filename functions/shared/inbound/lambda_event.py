"""AWS Lambda's Kafka event, of MSK and of a self-managed Kafka.

https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from functions.shared.inbound.decode import decode_base64
from functions.shared.inbound.received_record import (
    ReceivedRecord,
    first_traceparent,
    record_identifier,
)

SOURCES = ("aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka")


def is_lambda_event(event: Any) -> bool:
    """Return whether parsed JSON is such an event."""
    return (
        isinstance(event, dict)
        and event.get("eventSource") in SOURCES
        and isinstance(event.get("records"), dict)
    )


def raw_records(event: Mapping[str, Any]) -> list[Any]:
    """Return the records of all partitions as the event has them, each partition's in order."""
    partitions = event["records"].values()
    return [
        record
        for records in partitions
        for record in (records if isinstance(records, list) else [records])
    ]


def parse_records(records: Iterable[Any]) -> list[ReceivedRecord]:
    """Parse records; one that is not an object is a record with an error."""
    return [_parse_record(record) for record in records]


def _parse_record(record: Any) -> ReceivedRecord:
    if not isinstance(record, dict):
        return ReceivedRecord(None, None, None, "a record of the event is no object")
    origin = (record.get(name) for name in ("topic", "partition", "offset"))
    trace = first_traceparent(*_values(record.get("headers"), "traceparent"))
    data, error = decode_base64(record.get("value"))
    return ReceivedRecord(data, trace, record_identifier(*origin), error)


def _values(headers: Any, name: str) -> Iterator[str]:
    """Yield the values of a header: lists of bytes, which Java writes from -128 to 127."""
    for header in headers if isinstance(headers, list) else []:
        value = header.get(name) if isinstance(header, dict) else None
        if isinstance(value, list) and all(type(byte) is int for byte in value):
            yield bytes(byte & 0xFF for byte in value).decode("latin-1")
