"""The envelope of a batch: records become CloudEvents 1.0, as JSON, in one array.

Sources: CloudEvents 1.0.2, its JSON event format and its Kafka protocol binding.
"""

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from local.kafka_trigger.record import Record

JSON = "application/json"
BATCH = "application/cloudevents-batch+json"
ATTRIBUTE = re.compile(r"ce_([a-z0-9]+)", re.ASCII)
OURS = {"data", "data_base64", "kafkatopic", "kafkapartition", "kafkaoffset"}
HANDED_ON = {"traceparent", "tracestate"}


class Payload(NamedTuple):
    """The body of one request to a function, and its content type."""

    content_type: str
    body: bytes


def cloudevents_batch(records: Sequence[Record]) -> Payload:
    """Put records of one partition into a CloudEvents batch, in their order.

    A record that carries `ce_` headers keeps these attributes; another one is given an `id`, a
    `source`, a `type`, a `subject` and a `time`. Every event has `kafkatopic`, `kafkapartition`
    and `kafkaoffset`, by which the function names a record that it could not take, and
    `partitionkey` where the key is text.
    """
    topic, partition = records[0].topic(), records[0].partition()
    common = {
        "specversion": "1.0",
        "source": f"kafka:///{topic}",
        "type": "kafka.record",
        "kafkatopic": topic,
        "kafkapartition": partition,
    }
    events = [_event(record, common) for record in records]
    return Payload(BATCH, orjson.dumps(events, option=orjson.OPT_UTC_Z))


def _event(record: Record, common: dict[str, Any]) -> dict[str, Any]:
    """The event of one record; `common` is what all of the batch have, if they carry no other."""
    event = common.copy()
    event["kafkaoffset"] = str(record.offset())  # integers have 32 bits there, offsets 64
    if headers := record.headers():
        event |= _carried(headers)
    if "id" not in event:
        _name_the_event(event, record)
    if (key := record.key()) and (text := _text(key)):
        event["partitionkey"] = text
    if (value := record.value()) is not None:
        _add_data(event, value)
    return event


def _carried(headers: list[tuple[str, bytes | None]]) -> dict[str, Any]:
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
    if header in HANDED_ON:
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


def _add_data(event: dict[str, Any], value: bytes | None) -> None:
    """JSON is embedded as it is; anything else, or what says to be something else, as base64."""
    if value is None:
        return
    declared = event.get("datacontenttype")
    if (declared is None or _is_json(declared)) and _parses(value):
        event["datacontenttype"] = declared or JSON
        event["data"] = orjson.Fragment(value)
    else:
        event["data_base64"] = base64.b64encode(value).decode()


@lru_cache(maxsize=1024)
def _is_json(content_type: str) -> bool:
    """Whether the media type is JSON's, whatever its parameters."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == JSON or media_type.endswith("+json")


def _parses(value: bytes) -> bool:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True
