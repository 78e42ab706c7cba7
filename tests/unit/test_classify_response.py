"""The classification of a function's response."""

import json
from typing import Any

import pytest

from local.kafka_trigger.delivering.classify_response import (
    Outcome,
    RecordFailure,
    Verdict,
    classify_response,
)
from local.kafka_trigger.delivering.transport import HttpResponse
from tests.support.builders.records import TOPIC, records


def classified(status: int, body: bytes = b"", retry_after: str | None = None) -> Outcome:
    """The outcome of a request with the records 1 to 3."""
    return classify_response(HttpResponse(status, body, retry_after), records([1, 2, 3]))


def naming(*items: Any) -> Outcome:
    """The outcome of a response that names these failures."""
    return classified(200, json.dumps({"batchItemFailures": items}).encode())


@pytest.mark.parametrize(
    ("verdict", "statuses"),
    [
        (Verdict.ACCEPTED, [200, 201, 202, 204, 299]),
        (Verdict.UNAVAILABLE, [429, 502, 503, 504]),
        (Verdict.RETRYABLE, [404, 408, 409, 500, 501, 505, 599, 301, 304]),
        (Verdict.REJECTED, [400, 401, 403, 405, 413, 415, 422]),
    ],
)
def test_the_status_decides_the_verdict(verdict: Verdict, statuses: list[int]) -> None:
    """Accepted, unavailable, retryable or rejected."""
    assert {classified(status).verdict for status in statuses} == {verdict}


def test_the_body_of_a_rejection_is_quoted() -> None:
    """It goes into the log and the dead letter."""
    outcome = classified(422, b'{"detail": "no event"}')
    assert outcome.detail == 'HTTP 422: {"detail": "no event"}'
    assert len(classified(422, b"x" * 10_000).detail) < 1000
    assert classified(422, b"\xff").detail == "HTTP 422: \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"{}",
        b"[]",
        b"null",
        b'{"taken": 3}',
        b'{"batchItemFailures": null}',
        b'{"batchItemFailures": []}',
    ],
)
def test_a_2xx_without_failures_accepts_all(body: bytes) -> None:
    """A function need not say anything about its records."""
    assert classified(200, body).verdict is Verdict.ACCEPTED
    assert classified(200, body).failures == {}


@pytest.mark.parametrize(
    "identifier",
    [
        {"partition": f"{TOPIC}-0", "offset": 2},
        {"partition": f"{TOPIC}-0", "offset": "2"},
        f"{TOPIC}-0-2",
    ],
)
def test_a_failure_is_named_by_partition_and_offset(identifier: Any) -> None:
    """Both forms name a record; by default it is retryable."""
    outcome = naming({"itemIdentifier": identifier})
    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.failures == {2: RecordFailure(retryable=True, detail="no reason given")}


def test_a_failure_may_be_final_and_have_a_reason() -> None:
    """`retryable` and `reason` come from the function."""
    outcome = naming(
        {"itemIdentifier": f"{TOPIC}-0-1", "retryable": False, "reason": "no event"},
        {"itemIdentifier": f"{TOPIC}-0-3", "reason": "busy"},
    )
    assert outcome.failures == {1: RecordFailure(False, "no event"), 3: RecordFailure(True, "busy")}


@pytest.mark.parametrize(
    "items",
    [
        [{"itemIdentifier": f"{TOPIC}-0-4"}],
        [{"itemIdentifier": f"{TOPIC}-1-2"}],
        [{"itemIdentifier": {"partition": "other-0", "offset": 1}}],
        [{"itemIdentifier": f"{TOPIC}-0-1"}, {"itemIdentifier": ""}],
        [{"itemIdentifier": None}],
        [{"itemIdentifier": {"partition": f"{TOPIC}-0"}}],
        [{"itemIdentifier": f"{TOPIC}-0-1", "retryable": "perhaps"}],
        [{}],
        [1],
    ],
)
def test_failures_that_name_no_record_make_the_response_malformed(items: list[Any]) -> None:
    """A response that cannot be trusted accepts nothing: the batch is sent again."""
    outcome = naming(*items)
    assert outcome.verdict is Verdict.RETRYABLE
    assert "malformed" in outcome.detail
    assert "\n" not in outcome.detail


@pytest.mark.parametrize(
    "body", [b'{"batchItemFailures": 1}', b'{"batchItemFailures": ""}', b'{"batchItemFailures": [']
)
def test_failures_that_are_no_list_make_the_response_malformed(body: bytes) -> None:
    """A function that tried to name failures did not accept the batch."""
    assert classified(200, body).verdict is Verdict.RETRYABLE
