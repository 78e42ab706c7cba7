"""A CloudEvent in binary mode: its attributes are headers, and the record's value is the body.

Source: CloudEvents 1.0.2, HTTP protocol binding, 3.1.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.envelopes.attributes import (
    JSON,
    attributes,
    is_json,
    is_printable,
    of_partition,
    trace_headers,
)
from local.kafka_trigger.envelopes.payload import Payload

AS_THEY_ARE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


def cloudevents_binary(records: Sequence[Record]) -> Payload:
    """Put one record into a binary CloudEvent."""
    [record] = records
    event = attributes(record, of_partition(record))
    declared = event.pop("datacontenttype", None)
    headers = {f"ce-{name}": _encoded(value) for name, value in event.items()}
    value = record.value()
    return Payload(
        _content_type(value, declared), value or b"", {**headers, **trace_headers(event)}
    )


def _content_type(value: bytes | None, declared: str | None) -> str | None:
    """What the record declares, or JSON if the value is JSON; else nothing is claimed."""
    if declared is not None:
        return declared if is_printable(declared) else None
    return JSON if value is not None and is_json(value, None) else None


def _encoded(value: Any) -> str:
    """An attribute as a header has it: what is no printable ASCII, percent-encoded."""
    if isinstance(value, datetime):
        value = value.isoformat().replace("+00:00", "Z")
    return quote(str(value), safe=AS_THEY_ARE)
