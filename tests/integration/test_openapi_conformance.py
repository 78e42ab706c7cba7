"""The services conform to their OpenAPI documents, tested with Schemathesis."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.openapi import examples
from infra.openapi.__main__ import documents
from local.stack import ROOT
from local.stack.stack import Stack
from tests.support.drivers.event_stream import EventParser, StreamEvent
from tests.support.length import IS_LONG
from tests.support.openapi import event_errors, named, validator
from tests.support.waiting import eventually

EXAMPLES = 2_000 if IS_LONG else 200  # of each operation
LIMIT_S = 900
STREAM = "/highlights/stream"


@pytest.fixture
def goals(stack: Stack, http: httpx.Client) -> None:
    """The highlights of the documents' examples; another test may have retracted them already."""
    http.post(f"{stack.events_url}/events/batch", json=examples.BATCH).raise_for_status()
    highlight = f"{stack.highlights_url}/highlights/{examples.ACCEPTED['highlightId']}"
    eventually(lambda: http.get(highlight).json().get("status") in ("READY", "RETRACTED"))


@pytest.mark.usefixtures("goals")
@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("service", ["events", "highlights"])
def test_a_service_keeps_to_its_document(stack: Stack, tmp_path: Path, service: str) -> None:
    """Valid requests are accepted, invalid ones refused; answers are documented, none is a 5xx."""
    url = {"events": stack.events_url, "highlights": stack.highlights_url}[service]
    run = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "run", f"{url}/openapi.json",
         "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful",
         "--exclude-path", STREAM,  # it does not end while Schemathesis waits
         "--max-examples", str(EXAMPLES),
         "--continue-on-failure", "--generation-deterministic", "--no-color",
         "--suppress-health-check", "all"],
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.integration.schemathesis_hooks",
             "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
        cwd=tmp_path,  # where it keeps what it found, to try that first the next time
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.usefixtures("goals")
def test_a_stream_keeps_to_its_document(stack: Stack) -> None:
    """From the beginning, and with an id from before a restore; each event is a documented one."""
    url = f"{stack.highlights_url}{STREAM}"
    for last_id, first in (("0", "highlight"), ("00000000-1", "reset")):
        parser, events = EventParser(), list[StreamEvent]()
        with httpx.stream("GET", url, params={"lastEventId": last_id}, trust_env=False) as response:
            assert response.status_code == 200
            assert response.headers["content-type"].partition(";")[0] == "text/event-stream"
            assert response.headers["cache-control"] == "no-store"
            for piece in response.iter_bytes():
                events += parser.feed(piece)
                if events and events[-1].name == "ready":
                    break
        assert event_errors(events) == []
        assert events[0].name == first
        assert parser.retry_ms


def test_a_refused_stream_is_as_documented(stack: Stack, http: httpx.Client) -> None:
    """As problem details, whether the parameter or the header is wrong."""
    url = f"{stack.highlights_url}{STREAM}"
    for refused in (
        http.get(url, params={"lastEventId": "yesterday"}),
        http.get(url, headers={"Last-Event-ID": "yesterday"}),
        http.get(url, params={"page": 1}),
    ):
        assert refused.status_code == 400
        assert refused.headers["content-type"] == "application/problem+json"
        document = documents()["highlights.json"]
        validator(document, named("ProblemDetails")).validate(refused.json())
    assert http.post(url).status_code == 405
