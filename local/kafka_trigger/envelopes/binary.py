"""CloudEvents in binary mode: attributes are headers, and the record's value is the body.

Source: CloudEvents 1.0.2, HTTP protocol binding, 3.1.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from local.kafka_trigger.envelopes.attributes import (
    attributes,
    partition_attributes,
    trace_headers,
)
from local.kafka_trigger.envelopes.payload import JSON, Payload, is_json, is_printable
from local.kafka_trigger.record import Record

UNESCAPED = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


def cloudevents_binary(records: Sequence[Record]) -> Payload:
    """Encode one record as a CloudEvent in binary mode."""
    [record] = records
    event = attributes(record, partition_attributes(record))
    declared = event.pop("datacontenttype", None)
    headers = {f"ce-{name}": _encoded(value) for name, value in event.items()}
    value = record.value()
    return Payload(
        _content_type(value, declared), value or b"", {**headers, **trace_headers(event)}
    )


def _content_type(value: bytes | None, declared: str | None) -> str | None:
    """The content type that the record declares, else JSON's if the value is JSON, else none."""
    if declared is not None:
        return declared if is_printable(declared) else None
    return JSON if value is not None and is_json(value, None) else None


def _encoded(value: Any) -> str:
    """An attribute as a header's value: all but printable ASCII is percent-encoded."""
    if isinstance(value, datetime):
        value = value.isoformat().replace("+00:00", "Z")
    return quote(str(value), safe=UNESCAPED)
