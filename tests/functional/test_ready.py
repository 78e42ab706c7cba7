"""GET /ready of each function."""

import json
from collections.abc import Callable
from functools import partial
from typing import NoReturn

import pytest

from functions.consume_goal.app import build_app as consume_goal
from functions.enrich_batch.app import build_app as enrich_batch
from functions.get_highlight.app import build_app as get_highlight
from functions.ingest_event.app import build_app as ingest_events
from functions.list_highlights.app import build_app as list_highlights
from functions.shared.errors import Unavailable
from functions.shared.http.problems import Problem
from functions.shared.http.readiness import TIMEOUT_S, Readiness
from functions.shared.http.routing import Guard, Router
from functions.shared.kafka.topic_check import ANSWER_TIMEOUT_S
from functions.stream_highlights.app import build_app as stream_highlights
from local.stack import ROOT
from tests.functional.test_mains import FUNCTIONS, environment, run
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client

ingest_event = partial(ingest_events, rules=RULES)
PUBLIC = (ingest_event, list_highlights, get_highlight, stream_highlights)
APPS = (*PUBLIC, consume_goal, enrich_batch)
MISSING = 'The database lacks what we need: relation "highlights" does not exist.'

# Loads a function as functions-framework does, and requests /ready; the wait for a broker that is
# not there is short.
ASK_READY = """
import asyncio, sys
import httpx
from functions_framework.aio import create_asgi_app
from functions.shared.kafka import topic_check
topic_check.ANSWER_TIMEOUT_S = 0.2

async def ask(app):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get("/ready")

answer = asyncio.run(ask(create_asgi_app()))
sys.stdout.write(f"{answer.status_code} {answer.headers['retry-after']} {answer.text}")
"""


class Service:
    """A service that is ready unless it has an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def ready(self) -> None:
        """Return, or raise the error."""
        if self._error:
            raise self._error


def ready() -> Service:
    """Return a service that is ready."""
    return Service()


def unavailable() -> Service:
    """Return a service that is not."""
    return Service(Unavailable(MISSING))


def fail_if_called() -> None:
    """Fail, since a probe must not call this."""
    pytest.fail("the probe called it")


def refuse(_: object) -> NoReturn:
    """Refuse every request."""
    raise Problem(401, "A key is needed.")


@pytest.mark.parametrize("app", APPS)
def test_a_function_whose_required_services_are_ready_is_ready(app: Callable[..., Router]) -> None:
    """200, with the state of each service; HEAD works as well."""
    readiness = Readiness({"postgres": ready}, {"redis": unavailable})
    probe = Client(app(fail_if_called, readiness=readiness))
    response = probe.get("/ready")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {"status": "ready", "services": {"postgres": "ok", "redis": MISSING}}
    assert probe.request("HEAD", "/ready").status_code == 200
    assert probe.post("/ready").status_code == 405


@pytest.mark.parametrize("app", APPS)
def test_a_function_that_is_not_ready_says_why(app: Callable[..., Router]) -> None:
    """503 with Retry-After, in problem details; its health is good all the same."""
    readiness = Readiness({"postgres": unavailable, "kafka": ready})
    client = Client(app(lambda: None, readiness=readiness))
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["detail"] == f"Not ready: postgres: {MISSING}"
    assert response.json()["services"] == {"postgres": MISSING, "kafka": "ok"}
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("app", PUBLIC)
def test_a_probe_needs_no_api_key(app: Callable[..., Router]) -> None:
    """As for /health."""
    readiness = Readiness({"postgres": ready})
    client = Client(app(fail_if_called, guard=Guard(refuse), readiness=readiness))
    assert client.get("/ready").status_code == 200


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_names_its_services_that_are_not_ready(function: str) -> None:
    """As functions-framework loads it: in time for a probe, and without a password."""
    assert ANSWER_TIMEOUT_S < TIMEOUT_S
    needed = {"ingest_event": {"kafka"}, "consume_goal": {"kafka", "postgres"}}
    done = run("-c", ASK_READY, **environment(function))
    status, retry_after, body = done.stdout.split(" ", 2)
    assert (status, retry_after) == ("503", "1"), done.stderr
    problem = json.loads(body)
    services = problem["services"]
    wrong = {name for name, state in services.items() if state != "ok"}
    assert wrong - {"redis"} == needed.get(function, {"postgres"})
    assert "secret" not in done.stdout + done.stderr


def test_readiness_is_not_part_of_the_public_api() -> None:
    """The gateway has no such route, and no OpenAPI document has the path."""
    assert "/ready" not in (ROOT / "local" / "gateway" / "Caddyfile").read_text()
    for name in ("events", "highlights"):
        document = json.loads((ROOT / "infra" / "openapi" / f"{name}.json").read_text())
        assert "/ready" not in document["paths"]
