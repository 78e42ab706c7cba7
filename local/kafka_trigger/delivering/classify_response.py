"""Classifies a function's response: what becomes of the records of the request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import orjson
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from local.kafka_trigger.delivering.transport import HttpResponse
from local.kafka_trigger.record import Record

MAX_QUOTED = 500  # characters of a response's body
RETRYABLE_STATUSES = {404, 408, 409}
UNAVAILABLE_STATUSES = {429, 502, 503, 504}


class Verdict(Enum):
    """The result of a request for its records."""

    ACCEPTED = "processed, except those that the response names"
    REJECTED = "dead letters, once each is alone in its request"
    RETRYABLE = "to be sent again, a limited number of times"
    UNAVAILABLE = "to be sent again until the function is available"


@dataclass(frozen=True, slots=True)
class RecordFailure:
    """A record that the response names as not processed."""

    retryable: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A request's verdict with its detail; `failures` are those of accepted records, by offset."""

    verdict: Verdict
    detail: str
    status: int | None = None
    retry_after: str | None = None
    failures: Mapping[int, RecordFailure] = field(default_factory=dict)


class _Identifier(BaseModel):
    partition: str
    offset: int


class _Item(BaseModel):
    identifier: _Identifier | str = Field(alias="itemIdentifier")
    retryable: bool = True
    reason: str | None = None


_Items = TypeAdapter(list[_Item] | None)


def classify_response(response: HttpResponse, records: Sequence[Record]) -> Outcome:
    """Return the outcome of a request that carried `records`, which are of one partition."""
    if 200 <= response.status < 300:
        return _accepted(response, records)
    verdict = _verdict(response.status)
    return Outcome(verdict, _quoted(response), response.status, response.retry_after)


def _verdict(status: int) -> Verdict:
    if status in UNAVAILABLE_STATUSES:
        return Verdict.UNAVAILABLE
    if 400 <= status < 500 and status not in RETRYABLE_STATUSES:
        return Verdict.REJECTED
    return Verdict.RETRYABLE


def _quoted(response: HttpResponse) -> str:
    body = response.body.decode(errors="replace").strip()
    return f"HTTP {response.status}: {body[:MAX_QUOTED]}" if body else f"HTTP {response.status}"


def _accepted(response: HttpResponse, records: Sequence[Record]) -> Outcome:
    """All are accepted except those in `batchItemFailures`, which AWS Lambda's triggers know."""
    try:
        failures = _failures(response.body, records)
    except ValueError as error:
        detail = f"a malformed answer: {error}; {_quoted(response)}"
        return Outcome(Verdict.RETRYABLE, detail, response.status)
    return Outcome(
        Verdict.ACCEPTED, _quoted(response), response.status, response.retry_after, failures
    )


def _failures(body: bytes, records: Sequence[Record]) -> dict[int, RecordFailure]:
    items = _items(body)
    if not items:
        return {}
    offsets = {
        f"{each.topic()}-{each.partition()}-{each.offset()}": each.offset() for each in records
    }
    if unknown := {_record_id(item) for item in items} - offsets.keys():
        raise ValueError(f"{min(unknown)} is no record of the batch")
    return {
        offsets[_record_id(item)]: RecordFailure(item.retryable, item.reason or "no reason given")
        for item in items
    }


def _items(body: bytes) -> list[_Item] | None:
    """The failures that a body names; a body that is not a JSON object names none."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        if b"batchItemFailures" in body:
            raise
        return None
    if not isinstance(parsed, dict) or "batchItemFailures" not in parsed:
        return None
    try:
        return _Items.validate_python(parsed["batchItemFailures"])
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in ("batchItemFailures", *first["loc"]))
        raise ValueError(f"{path}: {first['msg']}") from error


def _record_id(item: _Item) -> str:
    if isinstance(item.identifier, str):
        return item.identifier
    return f"{item.identifier.partition}-{item.identifier.offset}"
