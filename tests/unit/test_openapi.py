"""The OpenAPI documents: valid, up to date, and in agreement with the functions."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

import infra.openapi
from functions.get_highlight.app import build_app as get_highlight
from functions.ingest_event.app import build_app as ingest_event
from functions.list_highlights.app import build_app as list_highlights
from functions.list_highlights.query import MATCH_PARAMETERS, PARAMETERS
from functions.shared.contract.event import Event
from functions.shared.http.problems import Problem
from functions.shared.http.routing import Router
from functions.stream_highlights.app import build_app as stream_highlights
from functions.stream_highlights.query import PARAMETERS as STREAM_PARAMETERS
from infra.openapi.__main__ import documents
from tests.support.builders.events import event_json
from tests.support.builders.revisions import RULES
from tests.support.openapi import NAMES, named, operations, validator

FOLDER = Path(infra.openapi.__file__).parent


def unused() -> Any:
    """Fail: only the routes of an app are used."""
    raise AssertionError


SERVED: dict[str, list[Router]] = {
    "events.json": [ingest_event(unused, RULES)],
    "highlights.json": [list_highlights(unused), get_highlight(unused), stream_highlights(unused)],
}


def committed(name: str) -> dict[str, Any]:
    """Return a document as it is in the repository."""
    document: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return document


def test_every_document_is_committed() -> None:
    """And there is no other in the folder."""
    assert {path.name for path in FOLDER.glob("*.json")} == set(documents()) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_document_is_not_stale(name: str) -> None:
    """`python -m infra.openapi` would change nothing."""
    assert committed(name) == documents()[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_valid(name: str) -> None:
    """OpenAPI 3.1, each reference with its target."""
    assert committed(name)["openapi"].startswith("3.1")
    validate(committed(name), cls=OpenAPIV31SpecValidator)


@pytest.mark.parametrize("name", NAMES)
def test_every_route_is_in_its_document(name: str) -> None:
    """With its method."""
    documented = {
        (method, path.partition("{")[0]) for method, path, _ in operations(documents()[name])
    }
    served = {
        (method, path.removesuffix("*"))
        for routes in SERVED[name]
        for path, methods in routes._routes.items()
        for method in methods
    }
    assert documented == served - {("GET", "/metrics")}  # which the gateway does not serve


@pytest.mark.parametrize("name", NAMES)
def test_every_response_is_described(name: str) -> None:
    """Errors as problem details; 401, 429 and 503 wherever keys, limits and services matter."""
    for _, path, operation in operations(documents()[name]):
        for status, response in operation["responses"].items():
            assert response["description"]
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"]
        assert path == "/health" or {"401", "429", "503"} <= operation["responses"].keys()


def test_the_fields_of_an_event_mean_what_the_contract_says() -> None:
    """Each field with a meaning in its table has it as its description."""
    fields = documents()["events.json"]["components"]["schemas"]["Event"]["properties"]
    undescribed = {name for name, field in fields.items() if "description" not in field}
    assert undescribed == {"description", "homeTeam", "awayTeam"}
    assert fields["minute"]["description"] == "The match clock: 45+2 is not 47"


@pytest.mark.parametrize("name", NAMES)
def test_an_api_key_is_optional_in_the_document(name: str) -> None:
    """A service may have keys or not; /health needs none."""
    document = documents()[name]
    ((scheme, how),) = document["components"]["securitySchemes"].items()
    assert (how["type"], how["scheme"]) == ("http", "bearer")
    for _, path, operation in operations(document):
        needs = operation.get("security", document["security"])
        assert needs == ([] if path == "/health" else [{}, {scheme: []}])


def test_operation_ids_are_unique_in_a_document() -> None:
    """Generated clients use them as names."""
    for document in documents().values():
        names = [operation["operationId"] for _, _, operation in operations(document)]
        assert len(set(names)) == len(names)


def test_every_parameter_of_a_list_is_in_the_document() -> None:
    """And no other."""

    def queried(path: str) -> list[str]:
        operation = documents()["highlights.json"]["paths"][path]["get"]
        return [each["name"] for each in operation["parameters"] if each["in"] == "query"]

    assert sorted(queried("/highlights")) == sorted(PARAMETERS)
    assert sorted(queried("/matches")) == sorted(MATCH_PARAMETERS)
    assert sorted(queried("/highlights/stream")) == sorted(STREAM_PARAMETERS)


def test_every_field_of_an_event_is_in_the_document() -> None:
    """With the required ones, and no others."""
    event = documents()["events.json"]["components"]["schemas"]["Event"]
    assert list(event["properties"]) == [field.alias for field in Event.model_fields.values()]
    assert event["required"] == ["matchId", "occurredAt", "eventType"]
    assert event["additionalProperties"] is False


@pytest.mark.parametrize("name", NAMES)
def test_operations_are_grouped(name: str) -> None:
    """By the purpose of the service; each group has a description."""
    document = documents()[name]
    groups = [tag["name"] for tag in document["tags"] if tag["description"]]
    assert groups == [name.removesuffix(".json"), "service"]
    for _, path, operation in operations(document):
        assert operation["tags"] == [groups[path == "/health"]]


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({}, True),
        ({"player": None, "minute": 45, "addedTime": 2, "eventId": "goal-1"}, True),
        ({"eventType": "x" * 65}, False),
        ({"eventType": ""}, False),
        ({"player": "x" * 129}, False),
        ({"description": "x" * 1025}, False),
        ({"minute": 151}, False),
        ({"addedTime": -1}, False),
        ({"minute": "45"}, False),
        ({"retracted": "true"}, False),
        ({"revision": -1}, False),
        ({"matchId": 1}, False),
        ({"occurredAt": 1}, False),
        ({"plyer": "x"}, False),
    ],
)
def test_the_document_and_the_function_accept_the_same_bodies(
    fields: dict[str, Any], valid: bool
) -> None:
    """Both refuse the same."""
    event = event_json(**fields)
    assert validator(documents()["events.json"], named("Event")).is_valid(event) is valid


@pytest.mark.parametrize("name", NAMES)
def test_problem_details_conform_to_the_document(name: str) -> None:
    """With additional members."""
    problem = Problem(400, "No.", errors={"player": ["is too long"]}, topic="match-events")
    details = json.loads(bytes(problem.response().body))
    validator(documents()[name], named("ProblemDetails")).validate(details)
