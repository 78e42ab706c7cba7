"""GET /ready of each function, as a probe sees it."""

import json
from collections.abc import Callable
from functools import partial

import pytest

from functions.consume_goal.app import app as consume_goal
from functions.enrich_batch.app import app as enrich_batch
from functions.get_highlight.app import app as get_highlight
from functions.ingest_event.app import app as ingest_events
from functions.list_highlights.app import app as list_highlights
from functions.shared.errors import Unavailable
from functions.shared.http.problems import Problem
from functions.shared.http.readiness import LIMIT_S, Readiness
from functions.shared.http.routing import Routes
from functions.shared.kafka.topic_check import ANSWER_TIMEOUT_S
from local.stack import ROOT
from tests.functional.test_mains import FUNCTIONS, environment, run
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client

ingest_event = partial(ingest_events, rules=RULES)
APPS = (ingest_event, consume_goal, enrich_batch, list_highlights, get_highlight)
MISSING = 'The database lacks what we need: relation "highlights" does not exist.'

# Loads a function as functions-framework does, and asks it whether it is ready; it does not wait as
# long as it would for a broker that is not there.
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


def never() -> None:
    """Stand in for what a probe has no need of."""
    pytest.fail("it was asked for")


def refuse(_: object) -> None:
    """Admit nobody."""
    raise Problem(401, "A key is needed.")


async def fine() -> None:
    """Be well."""


async def away() -> None:
    """Be away."""
    raise Unavailable(MISSING)


@pytest.mark.parametrize("app", APPS)
def test_a_function_whose_services_are_there_is_ready(app: Callable[..., Routes]) -> None:
    """200, with the state of each; HEAD does too."""
    probe = Client(app(never, ready=Readiness({"postgres": fine}, {"redis": away})))
    answer = probe.get("/ready")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"status": "ready", "services": {"postgres": "ok", "redis": MISSING}}
    assert probe.request("HEAD", "/ready").status_code == 200
    assert probe.post("/ready").status_code == 405


@pytest.mark.parametrize("app", APPS)
def test_a_function_that_lacks_something_says_what(app: Callable[..., Routes]) -> None:
    """503 with Retry-After, as problem details; and it is alive all the same."""
    routes = app(lambda: None, ready=Readiness({"postgres": away, "kafka": fine}))
    answer = Client(routes).get("/ready")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["detail"] == f"Not ready: postgres: {MISSING}"
    assert answer.json()["services"] == {"postgres": MISSING, "kafka": "ok"}
    assert Client(routes).get("/health").status_code == 200


@pytest.mark.parametrize("app", [ingest_event, list_highlights, get_highlight])
def test_a_probe_needs_no_key(app: Callable[..., Routes]) -> None:
    """As of /health."""
    routes = app(never, admit=refuse, ready=Readiness({"postgres": fine}))
    assert Client(routes).get("/ready").status_code == 200


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_names_the_services_that_are_not_there(function: str) -> None:
    """As functions-framework loads it: its own, in time for a probe, and without a password."""
    assert ANSWER_TIMEOUT_S < LIMIT_S
    needed = {"ingest_event": {"kafka"}, "consume_goal": {"kafka", "postgres"}}
    done = run("-c", ASK_READY, **environment(function))
    status, retry_after, body = done.stdout.split(" ", 2)
    assert (status, retry_after) == ("503", "1"), done.stderr
    problem = json.loads(body)
    services = problem["services"]
    wrong = {name for name, state in services.items() if state != "ok"}
    assert wrong - {"redis"} == needed.get(function, {"postgres"})
    assert "secret" not in done.stdout + done.stderr


def test_readiness_is_not_of_the_public_contract() -> None:
    """The gateway leads to no such path, and no document has it."""
    assert "/ready" not in (ROOT / "local" / "gateway" / "Caddyfile").read_text()
    for name in ("events", "highlights"):
        document = json.loads((ROOT / "infra" / "openapi" / f"{name}.json").read_text())
        assert "/ready" not in document["paths"]
