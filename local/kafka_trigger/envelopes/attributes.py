"""The attributes of a record as a CloudEvent, whatever the event's format.

Sources: CloudEvents 1.0.2 and its Kafka protocol binding.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from local.kafka_trigger.envelopes.payload import is_printable
from local.kafka_trigger.record import Record

ATTRIBUTE = re.compile(r"ce_([a-z0-9]+)", re.ASCII)
RESERVED = {"data", "data_base64", "kafkatopic", "kafkapartition", "kafkaoffset"}
TRACE_HEADERS = ("traceparent", "tracestate")


def partition_attributes(record: Record) -> dict[str, Any]:
    """Return the attributes that the records of one partition share, unless their headers differ.

    `record` is any record of the partition.
    """
    return {
        "specversion": "1.0",
        "source": f"kafka:///{record.topic()}",
        "type": "kafka.record",
        "kafkatopic": record.topic(),
        "kafkapartition": record.partition(),
    }


def attributes(record: Record, shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a record; `shared` are those of its partition.

    A record with `ce_` headers keeps these attributes; any other is given an `id`, a `source`, a
    `type`, a `subject` and a `time`. Every event has `kafkatopic`, `kafkapartition` and
    `kafkaoffset`, by which the function identifies a record that failed, and `partitionkey` if the
    key is text. `datacontenttype` is there if the record declares it.
    """
    event = dict(shared)
    event["kafkaoffset"] = str(record.offset())  # integers have 32 bits there, offsets 64
    if headers := record.headers():
        event |= _from_headers(headers)
    if "id" not in event:
        _add_identity(event, record)
    if (key := record.key()) and (text := _text(key)):
        event["partitionkey"] = text
    return event


def trace_headers(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers of W3C trace context for a request that carries this event alone."""
    return {
        name: event[name] for name in TRACE_HEADERS if name in event and is_printable(event[name])
    }


def _from_headers(headers: list[tuple[str, bytes | None]]) -> dict[str, str]:
    """The attributes in headers; a header that is empty or not text is ignored."""
    try:
        return {
            attribute: value.decode()
            for name, value in headers
            if value and (attribute := _attribute(name))
        }
    except UnicodeDecodeError:
        return _from_headers([header for header in headers if header[1] and _text(header[1])])


@lru_cache(maxsize=1024)
def _attribute(header: str) -> str | None:
    """The attribute that a header's name stands for, if any."""
    if header in TRACE_HEADERS:
        return header
    if header.lower() == "content-type":
        return "datacontenttype"
    match = ATTRIBUTE.fullmatch(header)
    return match[1] if match and match[1] not in RESERVED else None


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _add_identity(event: dict[str, Any], record: Record) -> None:
    event_id = f"partition:{record.partition()}/offset:{record.offset()}"
    event["id"] = event_id
    event.setdefault("subject", event_id)
    timestamp_type, milliseconds = record.timestamp()
    if timestamp_type and (time := _time(milliseconds)):
        event.setdefault("time", time)


def _time(milliseconds: int) -> datetime | None:
    """A record's timestamp as a time; None if it is beyond the calendar."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
