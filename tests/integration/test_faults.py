"""Processes are killed and services fail while a tournament is replayed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from redis import Redis

from functions.list_highlights.app import build_app
from functions.list_highlights.pages import PageReader
from functions.list_highlights.settings import ListHighlightsSettings
from functions.shared.postgres.change_feed import ChangeFeed
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.redis.page_cache import PageCache
from functions.shared.settings.load import load
from local.stack.services import functions
from local.stack.stack import Stack
from tests.support.builders.events import event_json
from tests.support.drivers.asgi import Client
from tests.support.drivers.table import Table
from tests.support.tournament import GOALS_OF_2022, replay_with_fault
from tests.support.waiting import eventually

DEADLINE_S = 5  # within which ingest-event answers
CACHED_WITHIN_S = 6  # of when Redis takes writes again


@contextmanager
def paused(stack: Stack, name: str) -> Iterator[None]:
    """Pause a process: it keeps its connections and does not answer."""
    stack.processes[name].pause()
    try:
        yield
    finally:
        stack.processes[name].resume()


@pytest.mark.parametrize("name", [*functions.NAMES, "trigger", "cron"])
def test_a_killed_process_loses_and_duplicates_nothing(
    stack: Stack, table: Table, name: str
) -> None:
    """SIGKILL to one process during a replay: 172 highlights, each READY, each once."""
    report = replay_with_fault(stack, stack.processes[name].kill)
    assert (report.missing, report.unexpected) == ({}, set())
    assert table.statuses() == {"READY": GOALS_OF_2022}


def test_a_killed_worker_loses_and_duplicates_nothing(stack: Stack, table: Table) -> None:
    """SIGKILL to the workers that the functions' servers forked, one after the other.

    Their work is done all the same.
    """

    def kill_workers() -> None:
        for name in functions.NAMES:
            stack.processes[name].kill_workers()

    report = replay_with_fault(stack, kill_workers)
    assert (report.missing, report.unexpected) == ({}, set())
    assert table.statuses() == {"READY": GOALS_OF_2022}


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_postgres_may_come_and_go(stack: Stack, table: Table, how: str) -> None:
    """Postgres stops or crashes during a replay: nothing is lost."""
    report = replay_with_fault(stack, getattr(stack.processes["postgres"], how))
    assert (report.missing, report.unexpected) == ({}, set())
    assert table.statuses() == {"READY": GOALS_OF_2022}


@pytest.mark.parametrize("how", ["restart", "kill", "pause"])
def test_redis_may_come_and_go(stack: Stack, table: Table, how: str) -> None:
    """The cache restarts empty, or hangs during a replay: nothing is missing."""
    report = replay_with_fault(stack, getattr(stack.processes["valkey"], how))
    assert (report.missing, report.unexpected) == ({}, set())
    assert table.statuses() == {"READY": GOALS_OF_2022}


def test_without_the_database_reads_are_503_and_events_are_accepted(
    stack: Stack, table: Table, http: httpx.Client
) -> None:
    """Postgres hangs: reads are a 503 in bounded time; events are accepted, and arrive later."""
    del table
    with paused(stack, "postgres"):
        read_answer = http.get(f"{stack.highlights_url}/highlights")
        posted = http.post(f"{stack.events_url}/events", json=event_json(eventId="meanwhile"))
    assert read_answer.status_code == 503
    assert read_answer.headers["content-type"] == "application/problem+json"
    assert int(read_answer.headers["retry-after"]) > 0
    assert posted.status_code == 202
    eventually(lambda: http.get(stack.highlights_url + posted.headers["location"]).is_success)


def test_without_the_broker_events_are_503_in_time(stack: Stack, http: httpx.Client) -> None:
    """The broker hangs: a 503 by the deadline, with what the sender needs to retry."""
    event = event_json(eventId="unheard")
    with paused(stack, "broker"):
        answer = http.post(f"{stack.events_url}/events", json=event)
        lists = http.get(f"{stack.highlights_url}/highlights")
    problem = answer.json()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert (problem["matchId"], problem["topic"]) == (event["matchId"], "match-events")
    assert DEADLINE_S - 1 < answer.elapsed.total_seconds() < DEADLINE_S + 2
    assert lists.status_code == 200
    eventually(lambda: http.post(f"{stack.events_url}/events", json=event).status_code == 202)


def test_a_hanging_cache_costs_the_first_reader_milliseconds_and_the_next_none(
    stack: Stack, table: Table, http: httpx.Client
) -> None:
    """While Redis hangs, a list is right at once; only the first call waits for the time-out."""
    url = f"{stack.functions['list_highlights'].url}/highlights"
    posted = http.post(f"{stack.events_url}/events", json=event_json(eventId="cached")).json()
    eventually(lambda: table.statuses() == {"READY": 1})
    listed = http.get(url, params={"matchId": posted["matchId"]}).json()
    with paused(stack, "valkey"):
        answers = [http.get(url, params={"matchId": posted["matchId"]}) for _ in range(20)]
    assert all(answer.json() == listed for answer in answers)
    took = sorted(answer.elapsed.total_seconds() for answer in answers)
    assert (
        sum(seconds > 0.04 for seconds in took) <= 3
    )  # those that met the hang, or a busy machine


def test_a_change_while_the_cache_hangs_is_never_hidden_by_it(
    stack: Stack, table: Table, http: httpx.Client
) -> None:
    """A goal is retracted while Redis hangs: once Redis is back, no list shows it."""
    query = {"matchId": event_json()["matchId"]}
    url = f"{stack.highlights_url}/highlights"
    http.post(f"{stack.events_url}/events", json=event_json(eventId="var"))
    eventually(lambda: table.statuses() == {"READY": 1})
    assert len(http.get(url, params=query).json()) == 1
    with paused(stack, "valkey"):
        retraction = event_json(eventId="var", revision=1, retracted=True)
        http.post(f"{stack.events_url}/events", json=retraction)
        eventually(lambda: table.statuses() == {"RETRACTED": 1})
        assert http.get(url, params=query).json() == []
    assert all(http.get(url, params=query).json() == [] for _ in range(200))


def test_a_cached_list_needs_no_postgres(stack: Stack, table: Table, http: httpx.Client) -> None:
    """While Postgres hangs, it is answered with 200, and with 304 to who has it already."""
    http.post(f"{stack.events_url}/events", json=event_json(eventId="cached"))
    eventually(lambda: table.statuses() == {"READY": 1})
    environ = {"DATABASE_URL": table.url, "REDIS_URL": stack.redis_url, "CACHE_TTL_S": "10"}
    settings = load(ListHighlightsSettings, {**environ, "REDIS_TIMEOUT_S": "5"})
    postgres, cache = Postgres(settings), PageCache(settings)
    pages = PageReader(HighlightStore(postgres), cache, ChangeFeed(postgres))
    reader = Client(build_app(lambda: pages))

    async def work() -> None:
        url = f"/highlights?matchId={event_json()['matchId']}"
        read = await reader.send("GET", url)
        with paused(stack, "postgres"):
            again = await reader.send("GET", url)
            known = {"If-None-Match": read.headers["etag"]}
            unchanged = await reader.send("GET", url, headers=known)
        answers = (read, again, unchanged)
        assert [each.status_code for each in answers] == [200, 200, 304]
        assert [each.headers["x-cache"] for each in answers] == ["miss", "hit", "hit"]
        await cache.close()

    asyncio.run(work())
    postgres.close()


REFUSING = {  # what makes Valkey refuse writes, and what makes it take them again
    "READONLY": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    "NOREPLICAS": ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"),
}


@contextmanager
def refusing(valkey: Any, why: str) -> Iterator[None]:
    """Make Valkey refuse writes during the block; it still serves reads."""
    refuse, accept = REFUSING[why]
    valkey.execute_command(*refuse.split())
    try:
        yield
    finally:
        valkey.execute_command(*accept.split())


@pytest.mark.parametrize("why", REFUSING)
def test_a_change_while_the_cache_refuses_writes_is_never_hidden_by_it(
    stack: Stack, table: Table, http: httpx.Client, why: str
) -> None:
    """A goal that is retracted then is on no list; the cache works again within seconds."""
    match_id = event_json()["matchId"]
    url, query = f"{stack.highlights_url}/highlights", {"matchId": match_id}
    posted = http.post(f"{stack.events_url}/events", json=event_json(eventId="var")).json()
    eventually(lambda: table.statuses() == {"READY": 1})
    assert len(http.get(url, params=query).json()) == 1

    def is_retracted() -> bool:
        return bool(http.get(f"{url}/{posted['highlightId']}").json()["status"] == "RETRACTED")

    with Redis.from_url(stack.redis_url) as valkey:
        with refusing(valkey, why):
            retraction = event_json(eventId="var", revision=1, retracted=True)
            http.post(f"{stack.events_url}/events", json=retraction)
            eventually(is_retracted)
            assert all(http.get(url, params=query).json() == [] for _ in range(100))

        def is_cached() -> bool:
            assert http.get(url, params=query).json() == []
            return bool(valkey.exists(f"goalstream:{match_id}:pages"))

        eventually(is_cached, within_s=CACHED_WITHIN_S)
