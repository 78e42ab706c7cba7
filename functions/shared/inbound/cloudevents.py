"""CloudEvents 1.0 over HTTP: in a batch, structured, and binary.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers

from functions.shared.inbound.decode import Decoded, decode_base64, decode_json
from functions.shared.inbound.received_record import ReceivedRecord, place, traceparent_of

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"


def of_batch(items: list[Any]) -> list[ReceivedRecord]:
    """The records of a batch; an item that is no event is a record without anything."""
    return [_of_batch(item) if isinstance(item, dict) else _NOTHING for item in items]


def structured(headers: Headers, event: Mapping[str, Any]) -> ReceivedRecord:
    """The record of one event in JSON."""
    trace = traceparent_of(event.get("traceparent"), headers.get("traceparent"))
    data, unreadable = _decoded(event)
    return ReceivedRecord(data, trace, None, unreadable)


def is_binary(headers: Headers) -> bool:
    """Whether a request is an event whose attributes are headers."""
    return "ce-id" in headers


def binary(headers: Headers, body: bytes) -> ReceivedRecord:
    """The record of one event whose data is the body, as Knative's KafkaSource posts it too."""
    trace = traceparent_of(headers.get("ce-traceparent"), headers.get("traceparent"))
    data, unreadable = decode_json(body)
    return ReceivedRecord(data, trace, None, unreadable)


_NOTHING = ReceivedRecord(None, None, None, "an item of the batch is no CloudEvent")


def _of_batch(event: Mapping[str, Any]) -> ReceivedRecord:
    where = (event.get(name) for name in ("kafkatopic", "kafkapartition", "kafkaoffset"))
    data, unreadable = _decoded(event)
    trace = traceparent_of(event.get("traceparent"))
    return ReceivedRecord(data, trace, place(*where), unreadable)


def _decoded(event: Mapping[str, Any]) -> Decoded:
    return Decoded(event["data"]) if "data" in event else decode_base64(event.get("data_base64"))
