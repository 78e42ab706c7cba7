"""What a record is as a CloudEvent: its attributes, whatever the form in which it is sent.

Sources: CloudEvents 1.0.2 and its Kafka protocol binding.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from local.kafka_trigger.consuming.record import Record

JSON = "application/json"
ATTRIBUTE = re.compile(r"ce_([a-z0-9]+)", re.ASCII)
OURS = {"data", "data_base64", "kafkatopic", "kafkapartition", "kafkaoffset"}
TRACE = ("traceparent", "tracestate")
PRINTABLE = re.compile(r"[ -~]+")


def of_partition(record: Record) -> dict[str, Any]:
    """The attributes that all records of a record's partition have, if they carry no other."""
    return {
        "specversion": "1.0",
        "source": f"kafka:///{record.topic()}",
        "type": "kafka.record",
        "kafkatopic": record.topic(),
        "kafkapartition": record.partition(),
    }


def attributes(record: Record, common: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a record; `common` are those of its partition.

    A record that carries `ce_` headers keeps these attributes; another one is given an `id`, a
    `source`, a `type`, a `subject` and a `time`. Every event has `kafkatopic`, `kafkapartition`
    and `kafkaoffset`, by which the function names a record that it could not take, and
    `partitionkey` where the key is text. `datacontenttype` is there if the record declares it.
    """
    event = dict(common)
    event["kafkaoffset"] = str(record.offset())  # integers have 32 bits there, offsets 64
    if headers := record.headers():
        event |= _carried(headers)
    if "id" not in event:
        _name_the_event(event, record)
    if (key := record.key()) and (text := _text(key)):
        event["partitionkey"] = text
    return event


def is_json(value: bytes, declared: str | None) -> bool:
    """Whether a value is JSON, and its record does not call it something else."""
    return (declared is None or _is_json_type(declared)) and _parses(value)


def trace_headers(event: Mapping[str, Any]) -> dict[str, str]:
    """The headers of W3C trace context for the request that carries this event alone."""
    return {name: event[name] for name in TRACE if name in event and is_printable(event[name])}


def is_printable(text: str) -> bool:
    """Whether a text may stand in the head of a request as it is."""
    return PRINTABLE.fullmatch(text) is not None


def _carried(headers: list[tuple[str, bytes | None]]) -> dict[str, str]:
    """The attributes that headers carry; one that is empty or no text carries none."""
    try:
        return {
            attribute: value.decode()
            for name, value in headers
            if value and (attribute := _attribute(name))
        }
    except UnicodeDecodeError:
        return _carried([header for header in headers if header[1] and _text(header[1])])


@lru_cache(maxsize=1024)
def _attribute(header: str) -> str | None:
    """The attribute that a header carries, if it carries one."""
    if header in TRACE:
        return header
    if header.lower() == "content-type":
        return "datacontenttype"
    match = ATTRIBUTE.fullmatch(header)
    return match[1] if match and match[1] not in OURS else None


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _name_the_event(event: dict[str, Any], record: Record) -> None:
    place = f"partition:{record.partition()}/offset:{record.offset()}"
    event["id"] = place
    event.setdefault("subject", place)
    kind, milliseconds = record.timestamp()
    if kind and (time := _time(milliseconds)):
        event.setdefault("time", time)


def _time(milliseconds: int) -> datetime | None:
    """A record's time, unless its producer wrote one that no calendar has."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


@lru_cache(maxsize=1024)
def _is_json_type(content_type: str) -> bool:
    """Whether the media type is JSON's, whatever its parameters."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == JSON or media_type.endswith("+json")


def _parses(value: bytes) -> bool:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True
