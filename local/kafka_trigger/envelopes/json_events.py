"""CloudEvents in their JSON format: many in a batch, or one in structured mode."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.envelopes.attributes import (
    JSON,
    attributes,
    is_json,
    of_partition,
    trace_headers,
)
from local.kafka_trigger.envelopes.payload import Payload

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"


def cloudevents_batch(records: Sequence[Record]) -> Payload:
    """Put records of one partition into a CloudEvents batch, in their order."""
    common = of_partition(records[0])
    events = [_event(record, common) for record in records]
    return Payload(BATCH, orjson.dumps(events, option=orjson.OPT_UTC_Z))


def cloudevents_structured(records: Sequence[Record]) -> Payload:
    """Put one record into a structured CloudEvent."""
    [record] = records
    event = _event(record, of_partition(record))
    body = orjson.dumps(event, option=orjson.OPT_UTC_Z)
    return Payload(STRUCTURED, body, trace_headers(event))


def _event(record: Record, common: Mapping[str, Any]) -> dict[str, Any]:
    event = attributes(record, common)
    if (value := record.value()) is not None:
        _add_data(event, value)
    return event


def _add_data(event: dict[str, Any], value: bytes) -> None:
    """JSON is embedded as it is; anything else, or what says to be something else, as base64."""
    if is_json(value, event.get("datacontenttype")):
        event.setdefault("datacontenttype", JSON)
        event["data"] = orjson.Fragment(value)
    else:
        event["data_base64"] = base64.b64encode(value).decode()
