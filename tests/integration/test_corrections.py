"""Corrections and retractions, in every order of arrival, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.consume_goal.consume import Consume
from functions.shared.contracts import IdentifiedEvent
from functions.shared.deliveries import Delivery
from functions.shared.highlights import Highlights
from functions.shared.postgres import Postgres
from functions.shared.publisher import Record
from functions.shared.settings import PostgresSettings
from local.embedded.stack import Stack
from tests.events import event_json, identified
from tests.integration.table import Table
from tests.revisions import (
    HIGHLIGHT_TYPES,
    Batches,
    Expected,
    arrivals,
    expected,
    in_a_new_match,
)


class Unheard:
    """Takes announcements, and the place of a cache."""

    def announce(self, records: Sequence[Record]) -> None:
        """Say nothing to anybody."""

    @asynccontextmanager
    async def change(self, _: object) -> AsyncIterator[None]:
        """Keep nothing."""
        yield


@contextmanager
def postgres_of(stack: Stack) -> Iterator[Postgres]:
    """Connections to the stack's Postgres."""
    postgres = Postgres(PostgresSettings.model_validate({"DATABASE_URL": stack.database_url}))
    try:
        yield postgres
    finally:
        postgres.close()


async def take(postgres: Postgres, batches: Batches, *, together: bool = False) -> None:
    """Bring batches to consume-goal, one after the other or all at once."""
    consume = Consume(Highlights(postgres), Unheard(), Unheard(), HIGHLIGHT_TYPES)

    async def one(batch: Sequence[IdentifiedEvent]) -> None:
        deliveries = [
            Delivery(event.model_dump(mode="json", by_alias=True), None, None) for event in batch
        ]
        assert await consume.take(deliveries) == []

    if together:
        await asyncio.gather(*map(one, batches))
    else:
        for batch in batches:
            await one(batch)


async def held(postgres: Postgres, batches: Batches) -> dict[object, Expected]:
    """What the table holds of the match of these batches."""
    rows = await postgres.run(
        "SELECT id, status <> 'RETRACTED', revision, retracted, event_type, player"
        " FROM highlights WHERE match_id = :match_id",
        match_id=batches[0][0].match_id,
    )
    return {id_: Expected(*made) for id_, *made in rows}


@given(batches=arrivals().map(in_a_new_match), together=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_highest_revision_wins_in_any_order(
    stack: Stack, batches: Batches, together: bool
) -> None:
    """However revisions are shuffled, doubled and cut into batches, the highest is the one kept."""

    async def walk() -> None:
        with postgres_of(stack) as postgres:
            await take(postgres, batches, together=together)
            kept = await held(postgres, batches)
        assert kept == expected(batches)

    asyncio.run(walk())


def bring(stack: Stack, *events: IdentifiedEvent) -> None:
    """Bring events to consume-goal, each in a batch of its own."""
    with postgres_of(stack) as postgres:
        asyncio.run(take(postgres, [[event] for event in events]))


def test_a_correction_of_the_facts_is_described_anew(quiet_stack: Stack, table: Table) -> None:
    """A text that no longer holds is dropped with the revision that makes it wrong."""
    goal = identified(player="Messi")
    corrected = identified(player="Di María", revision=1)
    bring(quiet_stack, goal)
    table.run("UPDATE highlights SET status = 'READY', title = 'Home GOAL by Messi'")
    bring(quiet_stack, corrected)
    assert table.run("SELECT status, title, player FROM highlights") == [
        ["PENDING_AI", None, "Di María"]
    ]


def test_a_correction_that_changes_no_fact_keeps_the_text(quiet_stack: Stack, table: Table) -> None:
    """A new revision that tells the same is no work for the enricher."""
    later = event_json()["occurredAt"].replace("20:16", "20:17")
    bring(quiet_stack, identified())
    table.run("UPDATE highlights SET status = 'READY', title = 'Goal'")
    bring(quiet_stack, identified(revision=3, occurredAt=later))
    assert table.run("SELECT status, title, revision FROM highlights") == [["READY", "Goal", 3]]


def test_a_goal_that_stands_again_is_described_anew(quiet_stack: Stack, table: Table) -> None:
    """After a retraction a higher revision makes it a highlight again."""
    bring(quiet_stack, identified(), identified(revision=1, retracted=True), identified(revision=2))
    assert table.run("SELECT status, revision FROM highlights") == [["PENDING_AI", 2]]
