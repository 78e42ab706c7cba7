"""Corrections and retractions, in every order of arrival, on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.consume_goal.consume import EventConsumer
from functions.consume_goal.revisions import revision_of
from functions.shared.contract.event import IdentifiedEvent
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.kafka.publisher import Record
from functions.shared.postgres.change_feed import ChangeFeed
from functions.shared.postgres.highlights import Correction, HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from local.stack.stack import Stack
from tests.integration.statements import statements
from tests.integration.test_leases import with_queue
from tests.support.builders.enrichments import enrichment
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


def enrich(table: Table) -> None:
    """Give the highlight a text, as enrich-batch does."""
    table.run(
        "UPDATE highlights SET status = 'READY', title = 'Messi scores', summary = 'A goal.',"
        " enriched_by = 'model:m', thumbnail_url = 'https://pictures.example/messi.jpg',"
        " refused = '[\"name\"]', texts = :texts",
        texts=orjson.dumps({"en": {"title": "Messi scores", "summary": "A goal."}}).decode(),
    )


OLD_TEXT = enrichment("Messi scores", "A goal.", by="model:m")
TEXTS = "SELECT status, title, texts, enriched_by, refused, thumbnail_url, former FROM highlights"
WithCorrected = Callable[[HighlightStore, list[Correction]], Awaitable[None]]


def with_corrected(stack: Stack, work: WithCorrected) -> None:
    """Call `work` with the queue and the corrected highlights in it."""

    async def run(queue: HighlightStore) -> None:
        await work(queue, await queue.corrected(limit=10))

    with_queue(stack, run)


def test_the_text_from_before_a_correction_is_hidden_until_it_is_checked(
    quiet_stack: Stack, table: Table
) -> None:
    """It is shown again as it was, but for the picture, while the highlight awaits its new one."""
    consume_each(quiet_stack, identified(player="Messi"))
    enrich(table)
    consume_each(quiet_stack, identified(player="Messi", minute=23, revision=1))
    ((*shown, former),) = table.run(TEXTS)
    assert shown == ["PENDING_AI", *[None] * 5]
    assert former["enriched_by"] == "model:m"

    async def work(queue: HighlightStore, corrected: list[Correction]) -> None:
        (correction,) = corrected
        assert (correction.former, correction.facts.minute) == (OLD_TEXT, 23)
        (held,) = await queue.claim(limit=10, lease_s=60)
        feed = ChangeFeed(queue._postgres)
        before = await feed.now()
        assert len(await queue.settle([(correction, OLD_TEXT)])) == 1
        (change,) = (await feed.read(before, {}, 10)).changes
        document = orjson.loads(change.json)
        assert (document["status"], document["title"]) == ("PENDING_AI", "Messi scores")
        assert document["texts"] == {"en": {"title": "Messi scores", "summary": "A goal."}}
        assert "former" not in document
        assert await queue.settle([(correction, OLD_TEXT)]) == []
        assert len(await queue.finish([(held, enrichment("New"))])) == 1

    with_corrected(quiet_stack, work)
    ((status, title, _, by, _, picture, former),) = table.run(TEXTS)
    assert [status, title, by, picture, former] == ["READY", "New", "template", None, None]


def test_a_text_that_is_not_shown_again_is_no_change(quiet_stack: Stack, table: Table) -> None:
    """It is dropped, and readers see nothing of that."""
    consume_each(quiet_stack, identified())
    enrich(table)
    consume_each(quiet_stack, identified(player="Di María", revision=1))
    before = table.run("SELECT updated_at, change_xid::text FROM highlights")

    async def work(queue: HighlightStore, corrected: list[Correction]) -> None:
        await queue.settle([(each, None) for each in corrected])
        assert await queue.corrected(limit=10) == []

    with_corrected(quiet_stack, work)
    assert table.run(TEXTS) == [["PENDING_AI", *[None] * 6]]
    assert table.run("SELECT updated_at, change_xid::text FROM highlights") == before


@pytest.mark.parametrize(
    "later", [{"retracted": True, "revision": 1}, {"player": "Di María", "revision": 2}]
)
def test_a_revision_during_the_check_of_an_old_text_wins(
    quiet_stack: Stack, table: Table, later: dict[str, Any]
) -> None:
    """The old text, which was checked against other facts, is not shown."""
    consume_each(quiet_stack, identified(player="Messi"))
    enrich(table)
    consume_each(quiet_stack, identified(player="Messi", minute=23, revision=1))

    async def work(queue: HighlightStore, corrected: list[Correction]) -> None:
        await deliver(queue._postgres, [[identified(**{"player": "Messi", **later})]])
        assert await queue.settle([(each, OLD_TEXT) for each in corrected]) == []

    with_corrected(quiet_stack, work)
    ((status, *shown, former),) = table.run(TEXTS)
    assert (status, shown) == ("RETRACTED" if "retracted" in later else "PENDING_AI", [None] * 5)
    assert (former is None) == ("retracted" in later)


@pytest.mark.parametrize("migration", ["0003_leases_in_place", "0004_change_feed"])
def test_functions_of_an_older_schema_leave_no_former_text_that_is_wrong(
    own_table: Table, migration: str
) -> None:
    """Their corrections hide a text like ours; their retractions and texts end it."""
    old = statements(migration)

    def record(**event: Any) -> list[Any]:
        revised = revision_of(identified(**event), ReceivedRecord(None, None, None), RULES)
        own_table.run(old["RECORD"], rows=orjson.dumps([revised.to_row()]).decode())
        ((*shown, former),) = own_table.run(TEXTS)
        assert shown[1:] == [None] * 5
        return [shown[0], former and former["enriched_by"]]

    assert record(player="Messi") == ["PENDING_AI", None]
    enrich(own_table)
    assert record(player="Messi", minute=1, revision=1) == ["PENDING_AI", "model:m"]
    assert record(player="Messi", minute=2, revision=2) == ["PENDING_AI", "model:m"]
    assert record(retracted=True, revision=3) == ["RETRACTED", None]
    assert record(player="Messi", revision=4) == ["PENDING_AI", None]
    enrich(own_table)
    record(player="Messi", minute=1, revision=5)
    values = {"limit": 1, "lease_s": 60, "ahead_s": 3600, "attempts": 5}
    ((id_, lease, *_),) = own_table.run(old["CLAIM"], **values)
    text = {"id": id_, "lease": lease, "title": "Goal", "summary": "A goal."}
    own_table.run(old["FINISH"], rows=orjson.dumps([text]).decode())
    assert own_table.run(TEXTS) == [["READY", "Goal", *[None] * 5]]


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
