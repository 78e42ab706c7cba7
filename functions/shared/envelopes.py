"""The envelopes in which records reach a function: CloudEvents 1.0 over HTTP.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.datastructures import Headers

from functions.shared import trace
from functions.shared.problems import Problem

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"
NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record: its data, parsed if it is JSON, and how to name it to the trigger."""

    data: Any
    traceparent: str | None
    identifier: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that can never be taken, and why."""

    delivery: Delivery
    reason: str


def open_envelope(headers: Headers, body: bytes) -> list[Delivery]:
    """The records of a request: a CloudEvents batch, or one structured or binary CloudEvent.

    Raises:
        Problem: 400 for what is no JSON, 415 for what is no CloudEvent.
    """
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == BATCH:
        return [_delivery(item) for item in _parsed(body, list)]
    if media_type == STRUCTURED:
        return [_delivery(_parsed(body, dict))]
    if "ce-id" in headers:
        return [_delivery(_binary(headers, body))]
    raise Problem(415, f"Send CloudEvents: {BATCH}, {STRUCTURED}, or ce- headers.")


def failures_answer(failures: list[Failure]) -> dict[str, Any]:
    """Partial failures, as AWS Lambda's triggers read them, and why there is no use in a retry.

    Raises:
        Problem: 422 when a failed record came without a name to call it by.
    """
    if any(failure.delivery.identifier is None for failure in failures):
        raise Problem(422, "; ".join(failure.reason for failure in failures))
    return {
        "batchItemFailures": [
            {
                "itemIdentifier": failure.delivery.identifier,
                "retryable": False,
                "reason": failure.reason,
            }
            for failure in failures
        ]
    }


def _parsed(body: bytes, kind: type) -> Any:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"The envelope is no JSON: {error}.") from error
    if not isinstance(parsed, kind):
        raise Problem(400, "The envelope is no CloudEvent of the kind that it claims to be.")
    return parsed


def _binary(headers: Headers, body: bytes) -> dict[str, Any]:
    attributes = {name[3:]: value for name, value in headers.items() if name.startswith("ce-")}
    return {**attributes, "data_base64": base64.b64encode(body).decode()}


def _delivery(item: Any) -> Delivery:
    if not isinstance(item, dict):
        return Delivery(None, None, None)
    traceparent = item.get("traceparent")
    is_trace = isinstance(traceparent, str) and trace.is_valid(traceparent)
    return Delivery(
        item["data"] if "data" in item else _decoded(item.get("data_base64")),
        traceparent if is_trace else None,
        _identifier(item),
    )


def _decoded(data: Any) -> Any:
    """Data that came as base64: its JSON, or None if it is none."""
    try:
        return orjson.loads(base64.b64decode(data, validate=True))
    except (TypeError, ValueError, binascii.Error):
        return None


def _identifier(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """How the trigger knows the record, if it said so; never made up."""
    topic, partition = item.get("kafkatopic"), str(item.get("kafkapartition"))
    offset = str(item.get("kafkaoffset"))
    if not isinstance(topic, str) or not all(map(NUMBER.fullmatch, (partition, offset))):
        return None
    return {"partition": f"{topic}-{int(partition)}", "offset": int(offset)}
