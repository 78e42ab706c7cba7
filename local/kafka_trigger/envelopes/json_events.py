"""CloudEvents in JSON format: many in a batch, or one in structured mode."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from local.kafka_trigger.envelopes.attributes import (
    attributes,
    partition_attributes,
    trace_headers,
)
from local.kafka_trigger.envelopes.payload import JSON, Payload, is_json
from local.kafka_trigger.record import Record

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"


def cloudevents_batch(records: Sequence[Record]) -> Payload:
    """Encode records of one partition as a CloudEvents batch, in their order."""
    shared = partition_attributes(records[0])
    events = [_event(record, shared) for record in records]
    return Payload(BATCH, orjson.dumps(events, option=orjson.OPT_UTC_Z))


def cloudevents_structured(records: Sequence[Record]) -> Payload:
    """Encode one record as a CloudEvent in structured mode."""
    [record] = records
    event = _event(record, partition_attributes(record))
    body = orjson.dumps(event, option=orjson.OPT_UTC_Z)
    return Payload(STRUCTURED, body, trace_headers(event))


def _event(record: Record, shared: Mapping[str, Any]) -> dict[str, Any]:
    event = attributes(record, shared)
    if (value := record.value()) is not None:
        _add_data(event, value)
    return event


def _add_data(event: dict[str, Any], value: bytes) -> None:
    """JSON is embedded as it is; any other value, or one declared as another type, as base64."""
    if is_json(value, event.get("datacontenttype")):
        event.setdefault("datacontenttype", JSON)
        event["data"] = orjson.Fragment(value)
    else:
        event["data_base64"] = base64.b64encode(value).decode()
