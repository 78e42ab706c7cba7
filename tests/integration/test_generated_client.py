"""Clients that openapi-python-client generates from the served documents post events and read."""

import asyncio
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from local.stack.stack import Stack
from tests.support.waiting import eventually

BIN = Path(sys.executable).parent
EVENTS, HIGHLIGHTS = "goal_stream_events_client", "goal_stream_highlights_client"
OCCURRED_AT = datetime(2022, 12, 18, 15, 36, tzinfo=UTC)


class Clients(NamedTuple):
    """The generated functions and models of both services, and a client of each."""

    events: SimpleNamespace
    highlights: SimpleNamespace


@pytest.fixture(scope="module")
def clients(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """The clients, generated without a warning."""
    folder = tmp_path_factory.mktemp("clients")
    urls = {EVENTS: stack.events_url, HIGHLIGHTS: stack.highlights_url}
    for package, url in urls.items():
        run = subprocess.run(
            [BIN / "openapi-python-client", "generate", "--url", f"{url}/openapi.json",
             "--meta", "none", "--fail-on-warning", "--output-path", folder / package],
            env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},  # for its ruff
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stdout + run.stderr
    sys.path.insert(0, str(folder))
    try:
        found = Clients(
            _loaded(EVENTS, urls[EVENTS], "ingest_event", "ingest_event_batch"),
            _loaded(HIGHLIGHTS, urls[HIGHLIGHTS], "get_highlight", "list_highlights",
                    "list_matches"),
        )  # fmt: skip
        with found.events.client, found.highlights.client:
            yield found
    finally:
        sys.path.remove(str(folder))


def _loaded(package: str, url: str, *operations: str) -> SimpleNamespace:
    """Return a package's client, its models, and the modules of its operations."""
    tag = package.split("_")[2]
    return SimpleNamespace(
        client=importlib.import_module(package).Client(base_url=url),
        models=importlib.import_module(f"{package}.models"),
        **{
            operation: importlib.import_module(f"{package}.api.{tag}.{operation}")
            for operation in operations
        },
    )


def goal(clients: Clients, **fields: Any) -> Any:
    """Return a goal as the generated model of an event."""
    event = {"match_id": uuid4(), "occurred_at": OCCURRED_AT, "event_type": "goal", **fields}
    return clients.events.models.Event(**event)


def posted(clients: Clients, event: Any) -> Any:
    """Post an event; return its highlight once that has its text."""
    events, highlights = clients
    accepted = events.ingest_event.sync(client=events.client, body=event)
    assert isinstance(accepted, events.models.Accepted)
    assert accepted.highlight is events.models.Expectation.EXPECTED
    found: list[Any] = []

    def is_ready() -> bool:
        found[:] = [highlights.get_highlight.sync(accepted.highlight_id, client=highlights.client)]
        return bool(getattr(found[0], "status", None) == highlights.models.Status.READY)

    eventually(is_ready)
    assert isinstance(found[0], highlights.models.Highlight)
    return found[0]


def test_an_event_is_posted_and_read_back_in_the_models(clients: Clients) -> None:
    """Each field has its type: ids, times, enumerations and the feed's own metadata."""
    models = clients.events.models
    event = goal(
        clients,
        player="Ángel Di María",
        period=models.Period.FIRST_HALF,
        minute=36,
        metadata=models.Metadata.from_dict({"camera": 7}),
    )
    highlight = posted(clients, event)
    assert highlight.match_id == event.match_id
    assert highlight.occurred_at == OCCURRED_AT
    assert timedelta(0) <= highlight.updated_at - highlight.created_at < timedelta(minutes=1)
    assert (highlight.player, highlight.minute, highlight.team) == ("Ángel Di María", 36, None)
    assert highlight.period is clients.highlights.models.Period.FIRST_HALF
    assert highlight.metadata["camera"] == 7
    assert "Ángel Di María" in highlight.title


def test_a_batch_is_listed_page_by_page(clients: Clients) -> None:
    """Newest first; a page that the reader has is not sent again."""
    events, highlights = clients
    first, second = (
        goal(clients, occurred_at=OCCURRED_AT + timedelta(minutes=minute)) for minute in (0, 1)
    )
    second.match_id = first.match_id
    accepted = events.ingest_event_batch.sync(client=events.client, body=[first, second])
    newest_first = [receipt.highlight_id for receipt in accepted.events][::-1]
    query = {"client": highlights.client, "match_id": first.match_id}
    ready = {**query, "status": highlights.models.Status.READY}
    eventually(lambda: len(highlights.list_highlights.sync(**ready)) == 2)
    page = highlights.list_highlights.sync_detailed(**query, page_size=1)
    assert [each.id for each in page.parsed] == newest_first[:1]
    rest = highlights.list_highlights.sync(**query, cursor=parameter(page, "next", "cursor"))
    assert [each.id for each in rest] == newest_first[1:]
    again = highlights.list_highlights.sync_detailed(
        **query, page_size=1, if_none_match=page.headers["etag"]
    )
    assert (again.status_code, again.content) == (304, b"")


def parameter(response: Any, relation: str, name: str) -> str:
    """Return a parameter of the link of a relation in a response."""
    links = httpx.Response(200, headers=response.headers).links
    return httpx.URL(links[relation]["url"]).params[name]


def test_changes_are_followed(clients: Clients) -> None:
    """From now on; each highlight as it is at that time."""
    listed = clients.highlights.list_highlights
    event = goal(clients)
    query = {"client": clients.highlights.client, "match_id": event.match_id}
    now = listed.sync_detailed(**query, changed_since="")
    assert now.parsed == []
    highlight = posted(clients, event)
    changes: list[Any] = []

    def is_told() -> bool:
        cursor = parameter(now, "changes", "changedSince")
        changes[:] = listed.sync(**query, changed_since=cursor)
        return bool(changes == [highlight])

    eventually(is_told)


def test_a_match_has_its_score(clients: Clients, stack: Stack) -> None:
    """In a client of asyncio too."""
    models, operation = clients.highlights.models, clients.highlights.list_matches
    event = goal(clients, home_team="Argentina", away_team="France", home_score=2, away_score=0)
    posted(clients, event)

    async def read() -> Any:
        async with type(clients.highlights.client)(base_url=stack.highlights_url) as client:
            return await operation.asyncio(client=client, match_id=event.match_id)

    (match,) = asyncio.run(read())
    assert isinstance(match, models.Match)
    assert (match.home_team, match.home_score, match.away_team, match.away_score) == (
        "Argentina", 2, "France", 0,
    )  # fmt: skip
    assert (match.highlights, match.occurred_at) == (1, OCCURRED_AT)


def test_an_error_is_read_as_problem_details(clients: Clients) -> None:
    """With the reasons by field; what a problem has besides is there too."""
    events, highlights = clients
    refused = events.ingest_event.sync(client=events.client, body=goal(clients, event_type=""))
    assert isinstance(refused, events.models.ProblemDetails)
    assert (refused.status, [*refused.errors.additional_properties]) == (400, ["eventType"])
    missing = highlights.get_highlight.sync(uuid4(), client=highlights.client)
    assert isinstance(missing, highlights.models.ProblemDetails)
    assert (missing.status, missing.title) == (404, "Not Found")
    expired = highlights.list_highlights.sync(client=highlights.client, changed_since="00000000-1")
    assert (expired.status, expired["begin"]) == (410, "?changedSince=0")
