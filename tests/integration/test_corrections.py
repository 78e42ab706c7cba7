"""Corrections and retractions, in every order of arrival, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.consume_goal.consume import EventConsumer
from functions.consume_goal.revisions import revision_of
from functions.shared.contract.event import IdentifiedEvent
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.kafka.publisher import Record
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from local.stack.stack import Stack
from tests.support.builders.events import MATCH, event_json, id_of, identified
from tests.support.builders.revisions import (
    RULES,
    Batches,
    Expected,
    arrivals,
    expected,
    in_a_new_match,
)
from tests.support.drivers.table import Table


class NullOutputs:
    """A publisher and cache invalidator that does nothing."""

    def announce(self, records: Sequence[Record]) -> None:
        """Publish nothing."""

    @asynccontextmanager
    async def change(self, _: object) -> AsyncIterator[None]:
        """Invalidate nothing."""
        yield


@contextmanager
def postgres_of(stack: Stack) -> Iterator[Postgres]:
    """Connections to the stack's Postgres."""
    postgres = Postgres(PostgresSettings.model_validate({"DATABASE_URL": stack.database_url}))
    try:
        yield postgres
    finally:
        postgres.close()


async def deliver(postgres: Postgres, batches: Batches, *, together: bool = False) -> None:
    """Deliver batches to consume-goal, sequentially or all at once."""
    consume = EventConsumer(HighlightStore(postgres), NullOutputs(), NullOutputs(), RULES)

    async def one(batch: Sequence[IdentifiedEvent]) -> None:
        deliveries = [
            ReceivedRecord(event.model_dump(mode="json", by_alias=True), None, None)
            for event in batch
        ]
        assert await consume.consume(deliveries) == []

    if together:
        await asyncio.gather(*map(one, batches))
    else:
        for batch in batches:
            await one(batch)


async def rows_of(postgres: Postgres, batches: Batches) -> dict[object, Expected]:
    """Return the rows of these batches' match, by highlight."""
    rows = await postgres.run(
        "SELECT id, status NOT IN ('RETRACTED', 'IGNORED'), revision, retracted, event_type, player"
        " FROM highlights WHERE match_id = :match_id",
        match_id=batches[0][0].match_id,
    )
    return {id_: Expected(*made) for id_, *made in rows}


@given(batches=arrivals().map(in_a_new_match), together=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_highest_revision_wins_in_any_order(
    stack: Stack, batches: Batches, together: bool
) -> None:
    """However revisions are shuffled, duplicated and batched, the highest one is stored."""

    async def walk() -> None:
        with postgres_of(stack) as postgres:
            await deliver(postgres, batches, together=together)
            kept = await rows_of(postgres, batches)
        assert kept == expected(batches)

    asyncio.run(walk())


def consume_each(stack: Stack, *events: IdentifiedEvent) -> None:
    """Deliver events to consume-goal, each in its own batch."""
    with postgres_of(stack) as postgres:
        asyncio.run(deliver(postgres, [[event] for event in events]))


def test_a_correction_of_the_facts_is_enriched_again(quiet_stack: Stack, table: Table) -> None:
    """The revision that outdates a text also removes it."""
    goal = identified(player="Messi")
    corrected = identified(player="Di María", revision=1)
    consume_each(quiet_stack, goal)
    table.run("UPDATE highlights SET status = 'READY', title = 'Home GOAL by Messi'")
    consume_each(quiet_stack, corrected)
    assert table.run("SELECT status, title, player FROM highlights") == [
        ["PENDING_AI", None, "Di María"]
    ]


def test_a_correction_that_changes_no_fact_keeps_the_text(quiet_stack: Stack, table: Table) -> None:
    """A new revision with the same facts is not enriched again."""
    later = event_json()["occurredAt"].replace("20:16", "20:17")
    consume_each(quiet_stack, identified())
    table.run("UPDATE highlights SET status = 'READY', title = 'Goal'")
    consume_each(quiet_stack, identified(revision=3, occurredAt=later))
    assert table.run("SELECT status, title, revision FROM highlights") == [["READY", "Goal", 3]]


def test_a_reinstated_goal_is_enriched_again(quiet_stack: Stack, table: Table) -> None:
    """After a retraction a higher revision makes it a highlight again."""
    consume_each(
        quiet_stack, identified(), identified(revision=1, retracted=True), identified(revision=2)
    )
    assert table.run("SELECT status, revision FROM highlights") == [["PENDING_AI", 2]]


def test_a_first_event_that_makes_no_highlight_keeps_lower_revisions_out(
    quiet_stack: Stack, table: Table
) -> None:
    """It is not listed until a higher revision makes it a goal."""
    consume_each(
        quiet_stack, identified(revision=5, eventType="yellow_card"), identified(revision=4)
    )
    assert table.run("SELECT status, event_type FROM highlights") == [["IGNORED", "yellow_card"]]
    consume_each(quiet_stack, identified(revision=6), identified(revision=7, eventType="corner"))
    assert table.run("SELECT status, event_type FROM highlights") == [["RETRACTED", "corner"]]


def test_a_failed_highlight_is_retried_with_a_higher_revision(
    quiet_stack: Stack, table: Table
) -> None:
    """Even with the same facts; and also when a retracted goal is reinstated."""
    failed = "UPDATE highlights SET status = 'FAILED_AI', attempts = 5"
    consume_each(quiet_stack, identified())
    table.run(failed)
    consume_each(quiet_stack, identified(revision=1))
    assert table.run("SELECT status, attempts FROM highlights") == [["PENDING_AI", 0]]
    table.run(failed)
    consume_each(quiet_stack, identified(revision=2, retracted=True), identified(revision=3))
    assert table.run("SELECT status, attempts FROM highlights") == [["PENDING_AI", 0]]


def test_a_conflicting_event_is_found(quiet_stack: Stack, table: Table) -> None:
    """Any field that differs under the same revision is a conflict; a duplicate is none."""
    goal = identified(player="Messi", metadata={"a": [1, "b"]}, revision=2**63 - 1)
    consume_each(quiet_stack, goal)
    changes = {"player": "Mbappé", "reason": "VAR", "metadata": {"a": 1}, "minute": 3}
    others = [goal.model_copy(update={name: value}) for name, value in changes.items()]

    async def conflicts(event: IdentifiedEvent) -> int:
        nothing = ReceivedRecord(None, None, None)
        with postgres_of(quiet_stack) as postgres:
            return len(
                await HighlightStore(postgres).conflicts([revision_of(event, nothing, RULES)])
            )

    assert [asyncio.run(conflicts(event)) for event in [goal, *others]] == [0, 1, 1, 1, 1]
    assert table.run("SELECT player FROM highlights") == [["Messi"]]


@pytest.mark.usefixtures("table")
def test_metadata_is_returned_unchanged(quiet_stack: Stack) -> None:
    """Members keep their order and spelling."""
    metadata = {"z": 1.5, "a": {" b ": [None, True, "\u00e9\U0001f3c6"]}}
    consume_each(quiet_stack, identified(metadata=metadata))

    async def document() -> str:
        with postgres_of(quiet_stack) as postgres:
            found = await HighlightStore(postgres).get(id_of(MATCH, "goal-1"))
        assert found
        return found.json

    kept = orjson.loads(asyncio.run(document()))["metadata"]
    assert orjson.dumps(kept) == orjson.dumps(metadata)
