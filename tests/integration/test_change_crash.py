"""The change feed when Postgres crashes, and gives out numbers of transactions a second time."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from functions.shared.contract.change_cursor import BEGINNING, ChangeCursor
from functions.shared.postgres.connection import connect
from local.stack.stack import Stack
from tests.integration.test_change_feed import Feed
from tests.support.drivers.table import TIMEOUT_S, Table
from tests.support.waiting import eventually

ROLLED_BACK = 5  # transactions of which a crash leaves nothing on disk


@contextmanager
def feed_of(table: Table) -> Iterator[Feed]:
    """The feed of a table, with connections of its own."""
    feed = Feed(table)
    try:
        yield feed
    finally:
        feed.postgres.close()


def roll_back(table: Table) -> None:
    """Change all highlights, and think better of it, several times."""
    with closing(connect(table.url, TIMEOUT_S)) as connection:
        for _ in range(ROLLED_BACK):
            connection.run("BEGIN; UPDATE highlights SET updated_at = clock_timestamp(); ROLLBACK")


def crash(stack: Stack) -> None:
    """Kill Postgres, and wait until it takes queries again."""
    postgres = stack.processes["postgres"]
    starts = postgres.starts
    postgres.kill()
    eventually(lambda: postgres.starts > starts)
    postgres.wait_ready()


async def place_of(feed: Feed, kind: str) -> ChangeCursor:
    """Return the present place, as a client is given it."""
    if kind == "the feed":
        _, after = await feed.since(BEGINNING)
        return after
    if kind == "a list":
        return ChangeCursor.parse((await feed.store.list({}, limit=1)).moment)
    return await feed.changes.now()


@pytest.mark.parametrize("kind", ["the feed", "a list", "a client that begins now"])
def test_a_place_from_before_a_crash_misses_nothing_after_it(
    quiet_stack: Stack, table: Table, kind: str
) -> None:
    """It lies before all that is changed under the numbers that are given out again."""
    with feed_of(table) as feed:
        asyncio.run(feed.goal("1"))
        roll_back(table)
        before = asyncio.run(place_of(feed, kind))
        assert asyncio.run(feed.ids_since(before)) == []
    crash(quiet_stack)
    with feed_of(table) as feed:
        events = ["1", *(f"after {number}" for number in range(2 * ROLLED_BACK))]
        goals = [asyncio.run(feed.goal(each, revision=1)) for each in events]
        assert asyncio.run(feed.ids_since(before)) == goals
