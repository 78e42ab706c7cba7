"""Each header of an answer is in the OpenAPI documents, under its status."""

from typing import Any

import httpx
import pytest

from functions.get_highlight.app import build_app as get_highlight
from functions.ingest_event.app import build_app as ingest_event
from functions.list_highlights.app import build_app as list_highlights
from functions.list_highlights.pages import PageReader
from functions.shared.http.auth import build_guard
from functions.shared.http.settings import AccessSettings
from functions.shared.settings.load import load
from infra.openapi import examples
from infra.openapi.__main__ import documents
from tests.support.builders.deliveries import Functions, goal_record, post, request_of
from tests.support.builders.events import MATCH, id_of
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakePublisher

# Of every answer, by HTTP itself.
GENERAL = {"content-length", "content-type", "vary"}
KEY = "a-key-of-this-test"
EXPIRED = "ffffffff-1"


class Services:
    """The functions that clients call, with a key, a limit of ten requests, and a highlight."""

    def __init__(self) -> None:
        functions = Functions()
        post(functions.consume_goal, request_of("cloudevents-batch", goal_record()))
        pages = PageReader(functions.store, FakeCache(), functions.store)
        settings = load(
            AccessSettings, {"API_KEYS": KEY, "RATE_LIMIT": "1", "RATE_LIMIT_BURST": "10"}
        )
        guard = build_guard(settings, lambda: 0.0)
        self.clients = {
            "/events": Client(ingest_event(FakePublisher, RULES, guard=guard)),
            "/highlights/": Client(get_highlight(lambda: functions.store, guard)),
            "/": Client(list_highlights(lambda: pages, guard)),
        }

    def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Return an answer, to a request with the key unless it has headers of its own."""
        headers = request.pop("headers", {"X-Api-Key": KEY})
        client = next(client for prefix, client in self.clients.items() if path.startswith(prefix))
        return client.request(method, path, headers=headers, **request)


def check(answer: httpx.Response, template: str) -> None:
    """Check that the headers of an answer are documented."""
    name = "events.json" if template.startswith("/events") else "highlights.json"
    operation = documents()[name]["paths"][template][answer.request.method.lower()]
    documented = operation["responses"][str(answer.status_code)]["headers"]
    assert {*answer.headers} - GENERAL <= {header.lower() for header in documented}


HIGHLIGHT = f"/highlights/{id_of(MATCH, 'goal-1')}"


@pytest.mark.parametrize(
    ("template", "path", "status", "request_"),
    [
        ("/events", "/events", 202, {"json": examples.GOAL}),
        ("/events", "/events", 400, {"json": {}}),
        ("/events", "/events", 415, {"content": b"goal"}),
        ("/events", "/events", 401, {"json": {}, "headers": {}}),
        ("/events", "/events", 413, {"json": {"description": "x" * 100_000}}),
        ("/events/batch", "/events/batch", 202, {"json": examples.BATCH}),
        ("/highlights", "/highlights", 200, {}),
        ("/highlights", f"/highlights?matchId={MATCH}", 200, {}),
        ("/highlights", "/highlights?changedSince=0", 200, {}),
        ("/highlights", f"/highlights?changedSince={EXPIRED}", 410, {}),
        ("/highlights", "/highlights?changedSince=yesterday", 400, {}),
        ("/highlights/{id}", HIGHLIGHT, 200, {}),
        ("/highlights/{id}", "/highlights/1", 404, {}),
        ("/matches", "/matches", 200, {}),
        ("/health", "/health", 200, {}),
    ],
)
def test_the_headers_of_an_answer_are_documented(
    template: str, path: str, status: int, request_: dict[str, Any]
) -> None:
    """Of a success, of a conditional request, and of each kind of error."""
    method = "POST" if template.startswith("/events") else "GET"
    services = Services()
    answer = services.request(method, path, **request_)
    assert answer.status_code == status, answer.text
    check(answer, template)
    if "etag" in answer.headers:
        condition = {"X-Api-Key": KEY, "If-None-Match": answer.headers["etag"]}
        unmodified = services.request(method, path, headers=condition)
        assert unmodified.status_code == 304
        check(unmodified, template)


def test_the_headers_of_an_answer_over_the_limit_are_documented() -> None:
    """They say how many requests are left, and when to come again."""
    services = Services()
    answers = [services.request("GET", "/highlights") for _ in range(11)]
    assert answers[-1].status_code == 429
    assert {"retry-after", "ratelimit", "ratelimit-policy"} <= {*answers[-1].headers}
    check(answers[-1], "/highlights")
