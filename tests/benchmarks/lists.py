"""list-highlights beside a bare function and beside what a user would write."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from uuid import uuid4

import httpx
from pydantic import TypeAdapter

from functions.shared.postgres.connection import connect
from infra.openapi.response_models import Highlight
from local.stack.ports import HOST, free_port
from local.stack.services import valkey
from local.stack.stack import Stack
from tests.benchmarks import peers
from tests.benchmarks.http import Aims, Comparison, Server
from tests.benchmarks.result import Result, at_least
from tests.support.builders.events import FIRST_GOAL
from tests.support.waiting import eventually

CONNECTIONS = 64
MATCHES = 64
GOALS = 7  # of a match
LIMIT_S = 30
PEER, BARE = "FastAPI, asyncpg, redis", "bare, same body"
DOCUMENTS = TypeAdapter(list[Highlight])


def cached_list(stack: Stack, rounds: int) -> Iterator[Result]:
    """The first page of a match, from the cache."""
    pages = [f"/highlights?matchId={match_id}" for match_id in _matches(stack, 1)]
    eventually(lambda: httpx.get(f"{stack.highlights_url}{pages[0]}").headers["x-cache"] == "hit")
    with _comparison(stack, "list-highlights, cached", pages) as comparison:
        yield from comparison.results(rounds, CONNECTIONS, {BARE: Aims(rate=0.8)})


def uncached_list(stack: Stack, rounds: int) -> Iterator[Result]:
    """A list that is in neither cache; each connection requests another match."""
    matches = _matches(stack, MATCHES)
    with closing(connect(stack.database_url, LIMIT_S)) as connection:
        connection.run("ANALYZE highlights")  # as autovacuum does, but it looks once a minute
    pages = [f"/highlights?matchId={match_id}&eventType=goal" for match_id in matches]
    with _comparison(stack, "list-highlights, not cached", pages) as comparison:
        yield from comparison.results(rounds, CONNECTIONS)


def without_redis(stack: Stack, rounds: int) -> Iterator[Result]:
    """The first pages of many matches while Redis is stopped or hangs, beside Postgres alone."""
    pages = [f"/highlights?matchId={match_id}" for match_id in _matches(stack, MATCHES)]
    with (
        socket.create_server((HOST, 0)) as silent,  # accepts connections and answers nothing
        peers.list_highlights(stack, "") as alone,
        peers.list_highlights(stack, valkey.url(free_port())) as stopped,
        peers.list_highlights(stack, valkey.url(silent.getsockname()[1])) as hanging,
    ):
        away = {"Redis stopped": stopped, "Redis hangs": hanging}
        comparison = Comparison("", alone, away, pages)
        samples = comparison.samples(rounds, CONNECTIONS)
        theirs, *ours = ([each.rate for each in server] for server in samples)
        for name, rate in zip(away, ours, strict=True):
            what = f"list-highlights, {name}, {CONNECTIONS} connections"
            yield at_least(what, "requests/s", rate, theirs, "Postgres alone", 0.5)


def _matches(stack: Stack, count: int) -> list[str]:
    """Make this many matches with READY highlights; return their ids."""
    matches = [str(uuid4()) for _ in range(count)]
    goals = [{**FIRST_GOAL, "matchId": match_id} for match_id in matches for _ in range(GOALS)]
    httpx.post(f"{stack.events_url}/events/batch", json=goals).raise_for_status()
    for match_id in matches:
        eventually(partial(_is_ready, f"{stack.highlights_url}/highlights?matchId={match_id}"))
    return matches


def _is_ready(url: str) -> bool:
    return httpx.get(url).text.count('"READY"') == GOALS


@contextmanager
def _comparison(stack: Stack, what: str, pages: Sequence[str]) -> Iterator[Comparison]:
    ours = Server(stack.functions["list_highlights"].url, stack.processes["list_highlights"])
    page = _page(ours, pages[0])
    with (
        peers.lists(stack) as peer,
        peers.bare(stack.state.root, status=200, body=page) as bare,
    ):
        if DOCUMENTS.validate_json(_page(peer, pages[0])) != DOCUMENTS.validate_json(page):
            raise RuntimeError("the peer answers something else")
        services = [stack.processes[name] for name in ("postgres", "valkey")]
        yield Comparison(
            what,
            ours,
            {PEER: peer, BARE: bare},
            pages,
            services=services,
            behind="Postgres and Redis",
        )


def _page(server: Server, path: str) -> str:
    return httpx.get(f"{server.url}{path}").raise_for_status().text
