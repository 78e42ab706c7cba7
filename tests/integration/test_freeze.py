"""A process that was frozen for longer than others keep its idle connections."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from redis import Redis

from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.page_cache import PageCache
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.load import load
from local.stack.ports import HOST
from local.stack.services import functions
from local.stack.stack import Stack
from tests.support.builders.events import event_json
from tests.support.drivers.table import Table
from tests.support.servers.relay import Relay
from tests.support.waiting import eventually

OTHERS = "FROM pg_stat_activity WHERE application_name = 'goalstream' AND pid <> pg_backend_pid()"
MAX_IDLE_S = 0.2


@pytest.fixture
def hasty(stack: Stack, table: Table) -> Iterator[Stack]:
    """The stack, whose Postgres and Valkey close a connection that is idle for a second."""
    valkey = Redis.from_url(stack.redis_url)
    table.run("ALTER SYSTEM SET idle_session_timeout = '1s'")
    table.run("SELECT pg_reload_conf()")
    eventually(lambda: table.run("SHOW idle_session_timeout") == [["1s"]])
    # A session that is idle already hears of it with its next statement only.
    table.run(f"SELECT pg_terminate_backend(pid) {OTHERS}")
    valkey.config_set("timeout", 1)
    yield stack
    valkey.config_set("timeout", 0)
    valkey.close()
    table.run("ALTER SYSTEM RESET idle_session_timeout")
    table.run("SELECT pg_reload_conf()")
    eventually(lambda: table.run("SHOW idle_session_timeout") == [["0"]])


def test_the_first_request_after_a_freeze_is_right(
    hasty: Stack, table: Table, http: httpx.Client
) -> None:
    """All functions are frozen until their connections are closed; then each answers at once."""
    valkey = Redis.from_url(hasty.redis_url)
    path = http.post(f"{hasty.events_url}/events", json=event_json(eventId="1")).headers["location"]
    page = f"{hasty.highlights_url}/highlights?matchId={event_json()['matchId']}"
    eventually(lambda: table.statuses() == {"READY": 1})
    before = http.get(page).json()
    for name in functions.NAMES:
        hasty.processes[name].pause()
    eventually(lambda: table.run(f"SELECT count(*) {OTHERS}") == [[0]])
    eventually(lambda: len(valkey.client_list()) == 1)
    valkey.close()
    for name in functions.NAMES:
        hasty.processes[name].resume()
    answers = [http.get(page), http.get(hasty.highlights_url + path)]
    posted = http.post(f"{hasty.events_url}/events", json=event_json(eventId="2"))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == before == [answers[1].json()]
    assert posted.status_code == 202
    eventually(lambda: table.statuses() == {"READY": 2})
    assert len(http.get(page).json()) == 2


def outlast(seconds: float) -> None:
    """Wait until this time has passed by the wall clock."""
    until = time.time() + seconds
    eventually(lambda: time.time() > until)


def test_a_connection_to_postgres_that_was_dropped_silently_costs_nothing(stack: Stack) -> None:
    """A connection that was idle for long is not probed: that would take the time-out."""
    server = urlsplit(stack.database_url)
    with Relay(server.port or 0) as relay:
        url = f"postgresql://{server.username}@{HOST}:{relay.port}{server.path}"
        environ = {"DATABASE_URL": url, "DATABASE_POOL_SIZE": "1"}
        settings = load(PostgresSettings, environ | {"DATABASE_MAX_IDLE_S": str(MAX_IDLE_S)})
        with closing(Postgres(settings)) as postgres:
            assert asyncio.run(postgres.run("SELECT 1")) == [[1]]
            assert asyncio.run(postgres.run("SELECT 1")) == [[1]]
            assert relay.connections == 1
            relay.blackhole()
            outlast(2 * MAX_IDLE_S)
            began = time.monotonic()
            assert asyncio.run(postgres.run("SELECT 1")) == [[1]]
            assert time.monotonic() - began < settings.database_timeout_s / 2
        assert relay.connections == 2


def test_a_connection_to_redis_that_was_dropped_silently_costs_nothing(stack: Stack) -> None:
    """A change is invalidated all the same: the next reader gets nothing outdated."""
    match = uuid4()
    with Relay(urlsplit(stack.redis_url).port or 0) as relay:
        environ = {"REDIS_URL": f"redis://{HOST}:{relay.port}/0", "REDIS_TIMEOUT_S": "5"}
        settings = load(RedisSettings, environ | {"REDIS_MAX_IDLE_S": str(MAX_IDLE_S)})

        async def keep_and_change() -> tuple[bytes | None, bytes | None]:
            cache = PageCache(settings)
            _, lease = await cache.lease(match, "1")
            await cache.fill(match, "1", b"page", lease or b"")
            kept = await cache.read(match, "1")
            relay.blackhole()
            await asyncio.sleep(2 * MAX_IDLE_S)
            async with asyncio.timeout(settings.redis_timeout_s / 2), cache.change([match]):
                pass
            read = await cache.read(match, "1")
            await cache.close()
            return kept, read

        assert asyncio.run(keep_and_change()) == (b"page", None)
        assert relay.connections == 2
