"""Our SQL needs no session: a pooler may send each statement to another server connection."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from pg8000.exceptions import DatabaseError

from functions.consume_goal.revisions import revision_of
from functions.shared.contract.event import IdentifiedEvent
from functions.shared.contract.highlight import Status
from functions.shared.errors import DataRejected
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.connection import connect
from functions.shared.postgres.highlight_sql import FILTERS
from functions.shared.postgres.highlights import GivenBack, HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import load
from infra.migrate import migrate
from local.stack.ports import HOST
from local.stack.stack import Stack
from tests.support.builders.enrichments import enrichment
from tests.support.builders.events import MATCH, identified
from tests.support.builders.revisions import RULES
from tests.support.drivers.table import Table
from tests.support.servers.pooler import Pooler

WHO = "SELECT pg_backend_pid() WHERE cast(:value AS integer) = 1"


@pytest.fixture(name="url")
def _url(stack: Stack, table: Table) -> Iterator[str]:
    """The URL of a pooler before the stack's Postgres, with an empty table."""
    del table
    server = urlsplit(stack.database_url)
    with Pooler(server.port or 0) as pooler:
        yield f"postgresql://{server.username}@{HOST}:{pooler.port}{server.path}?sslmode=disable"


def behind(url: str, prepare: str) -> Postgres:
    """Return one connection to a pooler."""
    environ = {"DATABASE_URL": url, "DATABASE_POOL_SIZE": "1", "DATABASE_PREPARE": prepare}
    return Postgres(load(PostgresSettings, environ))


def test_statements_of_a_connection_run_on_two_servers(url: str) -> None:
    """Alternately, as the other tests assume; a prepared statement is found on neither."""
    with closing(behind(url, "false")) as postgres:
        ran_on = [asyncio.run(postgres.run(WHO, value=1))[0][0] for _ in range(6)]
    assert ran_on[0] != ran_on[1]
    assert ran_on == ran_on[:2] * 3
    with closing(behind(url, "true")) as postgres, pytest.raises(DatabaseError, match="26000"):
        asyncio.run(postgres.run(WHO, value=1))


def test_all_statements_do_their_work_behind_a_pooler(quiet_stack: Stack, url: str) -> None:
    """Record, claim, finish, give back, list by each filter, get: on both servers."""
    del quiet_stack
    with closing(behind(url, "false")) as postgres:
        for number in range(3):
            asyncio.run(
                life(
                    HighlightStore(postgres),
                    identified(eventId=str(number), team="home", homeTeam="Home FC"),
                )
            )


async def life(highlights: HighlightStore, event: IdentifiedEvent) -> None:
    """Run each statement in the life of a highlight."""
    nothing = ReceivedRecord(None, None, None)
    [recorded] = await highlights.record([revision_of(event, nothing, RULES)])
    assert await highlights.record([revision_of(event, nothing, RULES)]) == []
    assert await highlights.count_pending() == (1, 0)
    [claimed] = await highlights.claim(limit=10, lease_s=60)
    [given_back] = await highlights.give_back([GivenBack(claimed, 0)], max_attempts=5)
    [again] = await highlights.claim(limit=10, lease_s=60)
    [finished] = await highlights.finish([(again, enrichment())])
    assert recorded.id == claimed.id == given_back.id == finished.id
    values = {
        "match_id": MATCH, "status": Status.READY, "not_retracted": True, "side": "home",
        "team_key": "home fc", "event_type": "goal",
        "updated_since": "2020-01-01T00:00:00Z", "after": "2100-01-01T00:00:00Z",
        "after_id": recorded.id,
    }  # fmt: skip
    for name in FILTERS:
        filters = {key: value for key, value in values.items() if key.removesuffix("_id") == name}
        filters |= {name: values[name]}
        listed = (await highlights.list(filters, limit=100)).documents
        assert recorded.id in [each.id for each in listed]
    found = await highlights.get(recorded.id)
    assert found is not None
    assert '"title":"Goal"' in found.json


def test_a_refused_statement_leaves_the_connection_usable(url: str) -> None:
    """An error in either half of a statement; the next statement works."""
    with closing(behind(url, "false")) as postgres:
        for value, error in (("x", DataRejected), (1, None), ("y", DataRejected), (1, None)):
            if error:
                with pytest.raises(error):
                    asyncio.run(postgres.run(WHO, value=value))
            else:
                assert len(asyncio.run(postgres.run(WHO, value=value))) == 1
        with pytest.raises(DatabaseError, match="42601"):
            asyncio.run(postgres.run("SELEC 1"))
        assert asyncio.run(postgres.run(WHO, value=2)) == []


def test_the_schema_is_brought_up_to_date_behind_a_pooler(url: str) -> None:
    """Migrations run in one transaction, with a lock that ends with it."""
    with closing(connect(url, 30)) as connection:
        assert migrate(connection) == []
        assert migrate(connection) == []
