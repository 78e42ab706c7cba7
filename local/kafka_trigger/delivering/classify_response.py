"""What a function's answer means for the records that it was given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import orjson
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.delivering.transport import HttpResponse

QUOTED = 500  # characters of an answer's body that are told on
TRIED_AGAIN = {404, 408, 409}
NOBODY_THERE = {429, 502, 503, 504}


class Verdict(Enum):
    """What becomes of the records of a request."""

    TAKEN = "taken, but for those that the answer names"
    REFUSED = "impossible"
    FAILED = "to be tried again, a number of times"
    AWAY = "to be tried again until somebody is there"


@dataclass(frozen=True, slots=True)
class RecordFailure:
    """A record that the function names as not taken."""

    retryable: bool
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A delivery's verdict, why, and the failures among taken records by their offsets."""

    verdict: Verdict
    why: str
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


def classify_response(answer: HttpResponse, records: Sequence[Record]) -> Outcome:
    """Judge an answer to a request that carried `records`, which are of one partition."""
    if 200 <= answer.status < 300:
        return _taken(answer, records)
    return Outcome(_verdict(answer.status), _quoted(answer), answer.status, answer.retry_after)


def _verdict(status: int) -> Verdict:
    if status in NOBODY_THERE:
        return Verdict.AWAY
    if 400 <= status < 500 and status not in TRIED_AGAIN:
        return Verdict.REFUSED
    return Verdict.FAILED


def _quoted(answer: HttpResponse) -> str:
    body = answer.body.decode(errors="replace").strip()
    return f"HTTP {answer.status}: {body[:QUOTED]}" if body else f"HTTP {answer.status}"


def _taken(answer: HttpResponse, records: Sequence[Record]) -> Outcome:
    """All are taken but those under `batchItemFailures`, as AWS Lambda's triggers know it."""
    try:
        failures = _failures(answer.body, records)
    except ValueError as error:
        why = f"a malformed answer: {error}; {_quoted(answer)}"
        return Outcome(Verdict.FAILED, why, answer.status)
    return Outcome(Verdict.TAKEN, _quoted(answer), answer.status, answer.retry_after, failures)


def _failures(body: bytes, records: Sequence[Record]) -> dict[int, RecordFailure]:
    items = _items(body)
    if not items:
        return {}
    offsets = {
        f"{each.topic()}-{each.partition()}-{each.offset()}": each.offset() for each in records
    }
    if strangers := {_name(item) for item in items} - offsets.keys():
        raise ValueError(f"{min(strangers)} is no record of the batch")
    return {
        offsets[_name(item)]: RecordFailure(item.retryable, item.reason or "no reason given")
        for item in items
    }


def _items(body: bytes) -> list[_Item] | None:
    """The failures that a body names; one that is no JSON object names none."""
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
        place = ".".join(str(part) for part in ("batchItemFailures", *first["loc"]))
        raise ValueError(f"{place}: {first['msg']}") from error


def _name(item: _Item) -> str:
    if isinstance(item.identifier, str):
        return item.identifier
    return f"{item.identifier.partition}-{item.identifier.offset}"
