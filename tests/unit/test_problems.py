"""Errors as answers (RFC 9457)."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from functions.shared.contract.field_errors import explain, explain_unknown
from functions.shared.contract.known_fields import EVENT_FIELDS as FIELDS
from functions.shared.errors import (
    DataRejected,
    InvalidInput,
    NotAcknowledged,
    NotFound,
    RecordsRejected,
    SchemaMissing,
    TooBusy,
    TooLarge,
    Unavailable,
    UnreadableInput,
    UnsupportedFormat,
)
from functions.shared.http.problems import Problem, problem_of


def body(response: Response) -> dict[str, Any]:
    """Return the content of a response."""
    content: dict[str, Any] = json.loads(bytes(response.body))
    return content


def error(*loc: str | int, kind: str = "missing", msg: str = "Field required") -> dict[str, Any]:
    """Return an error in pydantic's form."""
    return {"loc": loc, "type": kind, "msg": msg}


@pytest.mark.parametrize("status", [400, 401, 404, 405, 413, 415, 422, 500, 503])
def test_a_problem_is_a_response_of_problem_json(status: int) -> None:
    """Type, title, status and detail, with the status of the answer."""
    response = Problem(status, "It is so.").response()
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    content = body(response)
    assert content.pop("title")
    assert content == {"type": "about:blank", "status": status, "detail": "It is so."}


def test_a_problem_has_members_and_headers_of_its_own() -> None:
    """Of any type that has a text."""
    members = {"topic": "t", "matchId": UUID(int=1), "why": OSError("away")}
    problem = Problem(405, "No.", headers={"Allow": "GET"}, **members)
    response = problem.response()
    assert response.headers["allow"] == "GET"
    assert body(response)["topic"] == "t"
    assert body(response)["matchId"] == str(UUID(int=1))
    assert body(response)["why"] == "away"


def test_an_unavailable_service_is_a_503_with_retry_after() -> None:
    """503, with Retry-After in whole seconds, and the members of the error."""
    response = problem_of(Unavailable("Away.", retry_after_s=2, topic="match-events")).response()
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    assert body(response)["topic"] == "match-events"


def test_invalid_input_names_each_refused_field() -> None:
    """In `errors`, each with a list of reasons."""
    errors = {"player": ["is too long"], "minute": ["is negative", "is no integer"]}
    content = body(problem_of(InvalidInput(errors)).response())
    assert (content["status"], content["errors"]) == (400, errors)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnreadableInput("It is not JSON."), 400),
        (ClientDisconnect(), 400),
        (NotFound("There is no highlight 'x'."), 404),
        (TooLarge("There are more than 10000 records in the batch."), 413),
        (UnsupportedFormat("Send CloudEvents."), 415),
        (RecordsRejected("the value is empty"), 422),
        (DataRejected("not for callers"), 500),
        (NotAcknowledged("not for callers"), 500),
        (OSError("not for callers"), 500),
        (SchemaMissing("not for callers"), 503),
        (TooBusy("The database has too much to do."), 503),
    ],
)
def test_each_error_has_a_status_of_its_own(error: Exception, status: int) -> None:
    """With its message as the detail, where it is meant for the caller."""
    problem = problem_of(error)
    assert problem.status == status
    assert "not for callers" not in problem.detail
    assert status == 500 or problem.detail == str(error) or isinstance(error, ClientDisconnect)


def test_a_problem_stays_the_problem_that_it_is() -> None:
    """HTTP's own errors need no translation."""
    problem = Problem(405, "No.")
    assert problem_of(problem) is problem


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("match_id", "matchId"),
        ("MatchID", "matchId"),
        ("matchid", "matchId"),
        ("plyer", "player"),
        ("PLAYER", "player"),
        ("event_type", "eventType"),
        ("ocurredAt", "occurredAt"),
        ("occurred_at", "occurredAt"),
        ("descripton", "description"),
        ("home_score", "homeScore"),
        ("added_time", "addedTime"),
    ],
)
def test_a_name_that_is_nearly_right_gets_a_hint(name: str, hint: str) -> None:
    """However it is misspelt, the hint is the intended name."""
    assert explain_unknown(name, FIELDS) == f"is unknown; did you mean {hint}?"


@pytest.mark.parametrize("name", ["", "x", "weather", "id", "🥅"])
def test_a_name_that_is_far_off_gets_no_hint(name: str) -> None:
    """A wrong hint would mislead."""
    assert explain_unknown(name, FIELDS) == "is unknown"


def test_an_error_is_named_by_its_field() -> None:
    """Without the words that the library puts before it."""
    errors = [error("minute", msg="Value error, must be so"), error("minute", msg="and so")]
    assert explain(errors, FIELDS) == {"minute": ["must be so", "and so"]}


def test_an_error_in_a_batch_is_named_by_its_index() -> None:
    """An unknown field of an item has its hint too."""
    errors = [error(3, "player"), error(4, "plyer", kind="extra_forbidden"), error(5)]
    assert explain(errors, FIELDS) == {
        "3.player": ["Field required"],
        "4.plyer": ["is unknown; did you mean player?"],
        "5": ["Field required"],
    }


def test_an_error_without_a_field_is_an_error_of_the_body() -> None:
    """Broken JSON is no field's fault."""
    assert explain([error(msg="Invalid JSON")], FIELDS) == {"body": ["Invalid JSON"]}


@given(st.text(), st.dictionaries(st.text(), st.lists(st.text(), min_size=1)))
def test_a_problem_of_any_text_is_a_response(detail: str, errors: dict[str, list[str]]) -> None:
    """A caller's own values may be quoted in the response."""
    assert body(Problem(400, detail, errors=errors).response())["errors"] == errors
