"""Statement time-outs end abandoned statements, and slow ones do not block others."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest

from functions.shared.errors import Unavailable
from functions.shared.postgres.connection import connect
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import load
from local.stack.ports import HOST
from local.stack.stack import Stack
from tests.support.builders.events import MATCH
from tests.support.drivers.table import Table
from tests.support.servers.pooler import Pooler
from tests.support.waiting import eventually

TIMEOUT_S = 1.0
ACTIVE = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
        AND query LIKE '%highlights%' AND application_name = 'goalstream'
"""
SLOW = "SELECT 1 FROM pg_sleep(:seconds)"
TOO_LONG = "The database takes too long over this."
SETTING = "SELECT current_setting('statement_timeout') FROM (VALUES (:value)) AS v"
# Two of them are two sessions of a pooler's server, for one client.
WAYS = ("prepared", "unprepared", "pooled")


def postgres_by(url: str, prepare: str, **variables: str) -> Postgres:
    """Return a pool with a statement time-out of one second."""
    environ = {"DATABASE_URL": url, "DATABASE_PREPARE": prepare}
    environ |= {"DATABASE_TIMEOUT_S": str(TIMEOUT_S), **variables}
    return Postgres(load(PostgresSettings, environ))


@pytest.fixture(params=WAYS)
def postgres(request: pytest.FixtureRequest, own_table: Table) -> Iterator[Postgres]:
    """A database with an empty table, directly or through a transaction pooler."""
    if request.param != "pooled":
        prepare = str(request.param == "prepared")
        with closing(postgres_by(own_table.url, prepare)) as straight:
            yield straight
        return
    server = urlsplit(own_table.url)
    with Pooler(server.port or 0) as pooler:
        url = f"postgresql://{server.username}@{HOST}:{pooler.port}{server.path}?sslmode=disable"
        with closing(postgres_by(url, "false")) as pooled:
            yield pooled


@contextmanager
def locked(table: Table) -> Iterator[None]:
    """Lock the table during the block."""
    with closing(connect(table.url, 30)) as connection:
        connection.run("BEGIN")
        connection.run("LOCK TABLE highlights IN ACCESS EXCLUSIVE MODE")
        yield
        connection.run("ROLLBACK")


def refused(postgres: Postgres, sql: str, **values: object) -> tuple[str, float]:
    """Return why a statement was refused, and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(Unavailable) as error:
        asyncio.run(postgres.run(sql, **values))
    return str(error.value), time.monotonic() - began


def test_postgres_ends_a_statement_before_we_leave(postgres: Postgres) -> None:
    """It is a 503, and its connection stays usable for the next statement."""
    who = "SELECT pg_backend_pid() FROM (VALUES (:value)) AS v"
    before = {asyncio.run(postgres.run(who, value="x"))[0][0] for _ in range(8)}
    for _ in range(2):
        detail, took_s = refused(postgres, SLOW, seconds=30)
        assert detail == TOO_LONG
        assert took_s < TIMEOUT_S + 0.5
    after = {asyncio.run(postgres.run(who, value="x"))[0][0] for _ in range(8)}
    assert before & after


def test_a_statement_that_waits_for_a_lock_ends_before_its_reader_is_answered(
    postgres: Postgres, own_table: Table
) -> None:
    """It no longer runs in Postgres, while the lock is still held."""
    with locked(own_table):
        with pytest.raises(Unavailable, match=TOO_LONG):
            asyncio.run(HighlightStore(postgres).list({}, limit=10))
        eventually(lambda: own_table.run(ACTIVE) == [[0]], within_s=2)
    assert asyncio.run(HighlightStore(postgres).list({}, limit=10)).documents == []


def test_the_time_out_stays_with_its_statement(postgres: Postgres) -> None:
    """The setting does not leak to other clients of a pooler."""
    settings = {asyncio.run(postgres.run(SETTING, value="x"))[0][0] for _ in range(4)}
    assert settings == {f"{int(TIMEOUT_S * 900)}ms"}


def test_a_pooler_gives_its_servers_back_as_they_were(stack: Stack) -> None:
    """Another client finds Postgres' default setting."""
    with closing(connect(stack.database_url, 30)) as other:
        assert other.run("SHOW statement_timeout") == [["0"]]
        with closing(postgres_by(stack.database_url, "true")) as postgres:
            asyncio.run(postgres.run(SETTING, value="x"))
            session = postgres._sessions.copy().pop()
            assert session._connection.run("SHOW statement_timeout") == [["0"]]


def test_a_dozen_slow_lists_keep_no_other_from_being_answered(
    own_table: Table,
) -> None:
    """Unindexed lists use half of the connections; a first page is answered at once."""
    with closing(postgres_by(own_table.url, "true", DATABASE_TIMEOUT_S="5")) as postgres:
        asyncio.run(_beside_slow_ones(postgres, own_table))


async def _beside_slow_ones(postgres: Postgres, table: Table) -> None:
    highlights = HighlightStore(postgres)
    await asyncio.gather(*(highlights.list({"match_id": MATCH}, limit=1) for _ in range(8)))
    slow = [asyncio.create_task(postgres.run_heavy(SLOW, seconds=3)) for _ in range(12)]
    while sum(running for (running,) in table.run(RUNNING_SLOW)) < 2:
        await asyncio.sleep(0)
    took_s = []
    for filters in ({}, {"match_id": MATCH}, {"status": "READY"}, {"side": "home"}) * 5:
        began = time.monotonic()
        assert (await highlights.list(filters, limit=10)).documents == []
        took_s.append(time.monotonic() - began)
    assert max(took_s) < 1.0
    ended = await asyncio.gather(*slow, return_exceptions=True)
    busy = [each for each in ended if isinstance(each, Unavailable)]
    assert len(busy) == 10


RUNNING_SLOW = """
    SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep($1)%'
"""


def test_a_busy_pool_refuses_early(stack: Stack) -> None:
    """A request that waits for a connection is refused after a short time."""
    variables = {"DATABASE_POOL_SIZE": "1", "DATABASE_QUEUE_TIMEOUT_S": "0.2"}
    postgres = postgres_by(stack.database_url, "true", DATABASE_TIMEOUT_S="5", **variables)

    async def run() -> float:
        slow = asyncio.create_task(postgres.run(SLOW, seconds=2))
        await asyncio.sleep(0)
        began = time.monotonic()
        others = await asyncio.gather(
            *(postgres.run(SLOW, seconds=0) for _ in range(50)), return_exceptions=True
        )
        took_s = time.monotonic() - began
        assert all(isinstance(each, Unavailable) for each in others)
        await slow
        return took_s

    with closing(postgres):
        assert asyncio.run(run()) < 1.5


def test_a_pool_is_busy_only_while_it_is(stack: Stack) -> None:
    """Many concurrent requests are all served, also from several event loops."""
    with closing(postgres_by(stack.database_url, "true", DATABASE_TIMEOUT_S="5")) as postgres:

        async def run() -> None:
            await asyncio.gather(*(postgres.run(SETTING, value="x") for _ in range(200)))

        threads = [threading.Thread(target=lambda: asyncio.run(run())) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        asyncio.run(run())
        assert postgres._turns._free == 4
