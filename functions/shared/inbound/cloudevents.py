"""CloudEvents 1.0 over HTTP: in batched, structured and binary mode.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

from functions.shared.inbound.decode import Decoded, decode_base64, decode_json
from functions.shared.inbound.received_record import (
    ReceivedRecord,
    first_traceparent,
    record_identifier,
)

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"


def parse_batch(items: list[Any]) -> list[ReceivedRecord]:
    """Return the records of a batch; an item that is not an event is a record with an error."""
    return [_parse_item(item) if isinstance(item, dict) else _NOT_AN_EVENT for item in items]


def parse_structured(headers: Headers, event: Mapping[str, Any]) -> ReceivedRecord:
    """Return the record of one event in JSON."""
    trace = first_traceparent(event.get("traceparent"), headers.get("traceparent"))
    data, error = _decode(event)
    return ReceivedRecord(data, trace, None, error)


def is_binary(headers: Headers) -> bool:
    """Return whether a request is an event whose attributes are headers."""
    return "ce-id" in headers


def parse_binary(headers: Headers, body: bytes) -> ReceivedRecord:
    """Return the record of one event whose data is the body, as Knative's KafkaSource posts it."""
    trace = first_traceparent(headers.get("ce-traceparent"), headers.get("traceparent"))
    data, error = decode_json(body)
    return ReceivedRecord(data, trace, None, error)


_NOT_AN_EVENT = ReceivedRecord(None, None, None, "an item of the batch is no CloudEvent")


def _parse_item(event: Mapping[str, Any]) -> ReceivedRecord:
    origin = (event.get(name) for name in ("kafkatopic", "kafkapartition", "kafkaoffset"))
    data, error = _decode(event)
    trace = first_traceparent(event.get("traceparent"))
    return ReceivedRecord(data, trace, record_identifier(*origin), error)


def _decode(event: Mapping[str, Any]) -> Decoded:
    return Decoded(event["data"]) if "data" in event else decode_base64(event.get("data_base64"))
