"""The list of matches, as Postgres makes it and as the fake of the tests does."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest

from functions.consume_goal.revisions import revision_of
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.highlights import HighlightStore, Listing
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import load
from tests.support.builders.events import identified
from tests.support.builders.revisions import RULES
from tests.support.drivers.table import Table
from tests.support.fakes.services import FakeStore

MATCHES = [UUID(int=number) for number in range(1, 8)]


@pytest.fixture
def store(own_table: Table) -> Iterator[HighlightStore]:
    """The store of an empty table of its own."""
    postgres = Postgres(load(PostgresSettings, {"DATABASE_URL": own_table.url}))
    yield HighlightStore(postgres)
    postgres.close()


def any_event(choose: random.Random) -> dict[str, Any]:
    """Return the fields of an event, of which any may be unknown."""
    scored = choose.random() < 0.7
    named = choose.random() < 0.7
    return {
        "matchId": str(choose.choice(MATCHES)),
        "eventId": f"{choose.randrange(12)}",
        "revision": choose.randrange(4),
        "retracted": choose.random() < 0.3,
        "eventType": choose.choice(("goal", "goal", "corner")),
        "occurredAt": f"2022-12-18T15:{choose.randrange(60):02}:00Z",
        "homeScore": choose.randrange(5) if scored else None,
        "awayScore": choose.randrange(5) if scored else None,
        "homeTeam": choose.choice(("Argentina", "Marokko")) if named else None,
        "awayTeam": "France" if named else None,
    }


def shown(listing: Listing) -> list[dict[str, Any]]:
    """Return the matches of a page, without the times at which they were written."""
    return [orjson.loads(each.json) | {"updatedAt": None} for each in listing.documents]


@pytest.mark.parametrize("seed", range(3))
def test_any_events_make_the_same_list(store: HighlightStore, seed: int) -> None:
    """By page, by cursor, and of one match."""
    choose, fake = random.Random(seed), FakeStore()

    async def scenario() -> None:
        for _ in range(120):
            event = identified(**any_event(choose))
            revision = revision_of(event, ReceivedRecord(None, None, None), RULES)
            await store.record([revision])
            await fake.record([revision])
        pages = [await each.matches({}, limit=100) for each in (store, fake)]
        assert shown(pages[0]) == shown(pages[1])
        third = pages[0].documents[2]
        filters = {"after": third.occurred_at, "after_id": third.id}
        rest = await store.matches(filters, limit=2)
        assert rest.documents == pages[0].documents[3:5]
        for match_id in MATCHES:
            one = [await each.matches({"match_id": match_id}, limit=2) for each in (store, fake)]
            assert shown(one[0]) == shown(one[1])

    asyncio.run(scenario())
