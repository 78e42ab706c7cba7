"""The examples of the OpenAPI documents: valid, and what the functions answer."""

import json
from dataclasses import replace
from typing import Any

import pytest

from functions.get_highlight.app import build_app as get_highlight
from functions.ingest_event.app import build_app as ingest_event
from functions.list_highlights.app import build_app as list_highlights
from functions.list_highlights.pages import PageReader
from functions.shared.http.problems import Problem
from infra.openapi.__main__ import documents
from local.replay.arguments import SAMPLE
from local.replay.feed import events
from local.replay.openfootball import read
from local.replay.selection import select
from tests.support.builders.deliveries import Functions, goal_record, post, request_of
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.drivers.event_stream import EventParser
from tests.support.fakes.services import FakeCache, FakePublisher
from tests.support.openapi import NAMES, event_errors, operations, validator


def examples_in(part: dict[str, Any]) -> list[Any]:
    """Return the examples of a content, a parameter or a header."""
    several = [each["value"] for each in part.get("examples", {}).values()]
    return [part["example"], *several] if "example" in part else several


@pytest.mark.parametrize("name", NAMES)
def test_every_body_has_an_example_and_every_example_is_valid(name: str) -> None:
    """Of requests, and of each response with its headers; examples of parameters are valid too."""
    document = documents()[name]

    def check(part: dict[str, Any], where: object) -> list[Any]:
        examples = examples_in(part)
        for example in examples:
            errors = [*validator(document, part["schema"]).iter_errors(example)]
            assert not errors, (where, errors)
        return examples

    for _, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            check(parameter, (path, parameter["name"]))
            assert parameter["description"]
        bodies = {"body": operation.get("requestBody", {}), **operation["responses"]}
        for kind, body in bodies.items():
            for content in body.get("content", {}).values():
                assert check(content, (path, kind))
            for header, described in body.get("headers", {}).items():
                if "$ref" not in described:
                    assert described["description"]
                    assert check(described, (path, kind, header))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_of_an_error_has_the_status_of_its_response(name: str) -> None:
    """The functions' own code makes it; `Retry-After` and `Link` say what to do."""
    for _, _, operation in operations(documents()[name]):
        errors = {
            int(status): response
            for status, response in operation["responses"].items()
            if int(status) >= 400
        }
        for status, response in errors.items():
            (media_type,) = response["content"].values()
            assert media_type["example"]["status"] == status
            assert (status in (429, 503)) is ("Retry-After" in response["headers"])
            assert (status == 410) is ("Link" in response["headers"])


def test_an_error_has_the_same_title_in_every_python() -> None:
    """Those of RFC 9110, so that no document is stale in another Python."""
    titles = {Problem(status, "").response().body for status in (413, 422)}
    assert {json.loads(bytes(body))["title"] for body in titles} == {
        "Content Too Large", "Unprocessable Content",
    }  # fmt: skip


def content(path: str, method: str, status: str = "") -> dict[str, Any]:
    """Return the JSON content of an operation's response, or of its request."""
    name = "events.json" if path.startswith("/events") else "highlights.json"
    operation = documents()[name]["paths"][path][method]
    documented = operation["responses"][status] if status else operation["requestBody"]
    found: dict[str, Any] = documented["content"]["application/json"]
    return found


def test_posting_an_example_returns_the_response_of_the_document() -> None:
    """One goal, and several."""
    goal = content("/events", "post")["examples"]["goal"]["value"]
    posted = {"/events": goal, "/events/batch": content("/events/batch", "post")["example"]}
    for path, body in posted.items():
        response = Client(ingest_event(FakePublisher, RULES)).post(path, json=body)
        assert response.status_code == 202
        assert response.json() == content(path, "post", "202")["example"]


def test_the_example_of_a_goal_becomes_the_example_of_a_highlight() -> None:
    """Apart from its times; a correction and a retraction change it."""
    functions = Functions()
    reader = Client(get_highlight(lambda: functions.store))
    shown = content("/highlights/{id}", "get", "200")["example"]
    assert content("/highlights", "get", "200")["examples"]["page"]["value"] == [shown]
    path = documents()["highlights.json"]["paths"]["/highlights/{id}"]["get"]["parameters"][0]

    def becomes(name: str) -> dict[str, Any]:
        value = json.dumps(content("/events", "post")["examples"][name]["value"]).encode()
        post(functions.consume_goal, request_of("cloudevents-batch", goal_record(value=value)))
        functions.enrich_batch.post("/")
        found: dict[str, Any] = reader.get(f"/highlights/{path['example']}").json()
        return found

    times = ("createdAt", "updatedAt")
    goal = becomes("goal")
    assert goal == shown | {time: goal[time] for time in times}
    assert "assisted by Alexis Mac Allister" in becomes("correction")["summary"]
    assert becomes("retraction")["status"] == "RETRACTED"
    assert list(content("/events", "post")["examples"]) == ["goal", "correction", "retraction"]


def test_the_example_of_a_match_is_that_of_its_goals() -> None:
    """As list-highlights returns it of the batch, apart from its last change."""
    functions = Functions()
    for offset, event in enumerate(content("/events/batch", "post")["example"]):
        value = json.dumps(event).encode()
        record = goal_record(offset, value)
        post(functions.consume_goal, request_of("cloudevents-batch", record))
    pages = PageReader(functions.store, FakeCache(), functions.store)
    (match,) = Client(list_highlights(lambda: pages)).get("/matches").json()
    (example,) = content("/matches", "get", "200")["example"]
    assert match == example | {"updatedAt": match["updatedAt"]}


def test_the_examples_of_a_stream_are_events_of_the_document() -> None:
    """Of each kind; what is no event of it is found."""
    operation = documents()["highlights.json"]["paths"]["/highlights/stream"]["get"]
    streams = examples_in(operation["responses"]["200"]["content"]["text/event-stream"])
    seen = [event for text in streams for event in EventParser().feed(text.encode())]
    assert event_errors(seen) == []
    assert {event.name for event in seen} == {"highlight", "ready", "reset", "end"}
    assert seen[0].data == content("/highlights/{id}", "get", "200")["example"]
    unknown = [replace(seen[0], data={}), replace(seen[0], name="goal"), replace(seen[0], data=1)]
    assert all(event_errors([event]) for event in unknown)


def test_the_examples_are_events_of_a_replay() -> None:
    """So posting one before a replay makes no second highlight."""
    (final,) = select(read(SAMPLE), ["argentina france"])
    replayed = [json.loads(event.to_json()) for event in events(final)]
    assert content("/events", "post")["examples"]["goal"]["value"] in replayed
    assert content("/events/batch", "post")["example"] == replayed[:2]
