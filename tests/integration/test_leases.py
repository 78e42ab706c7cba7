"""The enrichment queue on a real Postgres: one worker at a time, and bounded attempts."""

import asyncio
from collections.abc import Awaitable, Callable

from functions.consume_goal.revisions import revision_of
from functions.shared.contract.highlight import Enrichment, HighlightText
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.highlights import Claim, GivenBack, HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from local.stack.stack import Stack
from tests.support.builders.enrichments import enrichment
from tests.support.builders.events import MATCH, identified
from tests.support.builders.revisions import RULES
from tests.support.drivers.table import Table
from tests.support.waiting import eventually

LEASE_S = 60.0
ATTEMPTS = 3
TEXT = enrichment()
LEASES_END = "UPDATE highlights SET leased_until = now() - interval '1 second'"
WAIT_ENDS = "UPDATE highlights SET available_at = now() - interval '1 second'"


def with_queue(stack: Stack, work: Callable[[HighlightStore], Awaitable[None]]) -> None:
    """Call `work` with the stack's queue, on which no function works."""
    with_queue_at(stack.database_url, work)


def with_queue_at(url: str, work: Callable[[HighlightStore], Awaitable[None]]) -> None:
    """Call `work` with the queue of a database."""

    async def run() -> None:
        postgres = Postgres(PostgresSettings.model_validate({"DATABASE_URL": url}))
        try:
            await work(HighlightStore(postgres))
        finally:
            postgres.close()

    asyncio.run(run())


def put(table: Table, count: int = 1) -> None:
    """Put highlights into the queue."""
    table.run(
        "INSERT INTO highlights"
        " (id, match_id, event_id, revision, retracted, occurred_at, event_type, status)"
        " SELECT gen_random_uuid(), :match_id, n::text, 0, false, now(), 'goal', 'PENDING_AI'"
        " FROM generate_series(1, :count) AS n",
        match_id=MATCH,
        count=count,
    )


async def claim(queue: HighlightStore, limit: int = 100, **which: bool) -> list[Claim]:
    """Claim the highlights that are due."""
    return await queue.claim(limit=limit, lease_s=LEASE_S, **which)


def test_two_workers_never_hold_the_same_highlight(quiet_stack: Stack, table: Table) -> None:
    """Concurrent claims do not overlap, and claim everything together."""
    put(table, 200)

    async def work(queue: HighlightStore) -> None:
        claims = await asyncio.gather(*(claim(queue, 30) for _ in range(8)))
        ids = [one.id for worker in claims for one in worker]
        assert len(ids) == len(set(ids)) == 200

    with_queue(quiet_stack, work)


def test_claims_of_a_crashed_worker_are_claimed_again(quiet_stack: Stack, table: Table) -> None:
    """Only claims with an expired lease, and apart from what nobody has claimed yet."""
    put(table)

    async def work(queue: HighlightStore) -> None:
        (first,) = await claim(queue)
        assert await claim(queue, crashed=True) == []
        table.run(LEASES_END)
        assert await claim(queue) == []
        (again,) = await claim(queue, crashed=True)
        assert again.id == first.id

    with_queue(quiet_stack, work)


def test_a_worker_with_an_expired_lease_changes_nothing(quiet_stack: Stack, table: Table) -> None:
    """A worker that lost its lease is fenced off; the new owner finishes."""
    put(table)

    async def work(queue: HighlightStore) -> None:
        (late,) = await claim(queue)
        table.run(LEASES_END)
        (holder,) = await claim(queue, crashed=True)
        assert await queue.finish([(late, TEXT)]) == []
        assert await queue.give_back([GivenBack(late, 1)], max_attempts=ATTEMPTS) == []
        assert len(await queue.finish([(holder, TEXT)])) == 1

    with_queue(quiet_stack, work)
    assert table.statuses() == {"READY": 1}


def test_a_correction_ends_the_lease(quiet_stack: Stack, table: Table) -> None:
    """A text for facts that were corrected meanwhile is not stored."""
    put(table)

    async def work(queue: HighlightStore) -> None:
        (late,) = await claim(queue)
        corrected = revision_of(
            identified(eventId="1", revision=1, eventType="own_goal"),
            ReceivedRecord(None, None, None),
            RULES,
        )
        corrected.id = str(late.id)
        assert len(await queue.record([corrected])) == 1
        assert await queue.finish([(late, TEXT)]) == []

    with_queue(quiet_stack, work)
    assert table.statuses() == {"PENDING_AI": 1}


def test_a_failed_attempt_is_put_off_and_the_last_is_the_end(
    quiet_stack: Stack, table: Table
) -> None:
    """After the last allowed attempt it is FAILED_AI; before, it waits as long as it is told to."""
    put(table)
    waits: list[float] = []

    async def work(queue: HighlightStore) -> None:
        for _ in range(ATTEMPTS):
            table.run(WAIT_ENDS)
            (claimed,) = await claim(queue)
            await queue.give_back([GivenBack(claimed, 100)], max_attempts=ATTEMPTS)
            ((wait,),) = table.run(
                "SELECT extract(epoch FROM available_at - now())::float FROM highlights"
            )
            waits.append(round(wait, -2))

    with_queue(quiet_stack, work)
    assert waits == [100, 100, 100]
    assert table.statuses() == {"FAILED_AI": 1}


def test_a_crash_at_the_last_attempt_ends_as_failed(quiet_stack: Stack, table: Table) -> None:
    """Nothing waits forever for a crashed worker."""
    put(table)
    table.run("UPDATE highlights SET attempts = :attempts", attempts=ATTEMPTS)

    async def work(queue: HighlightStore) -> None:
        (claimed,) = await claim(queue)
        await queue.give_back([GivenBack(claimed, 1)], max_attempts=ATTEMPTS)

    with_queue(quiet_stack, work)
    assert table.statuses() == {"FAILED_AI": 1}


def test_a_claim_writes_to_no_index(own_table: Table) -> None:
    """Nor does one that is prolonged: nearly all updates are HOT, and add no index entry."""
    put(own_table, 500)

    async def work(queue: HighlightStore) -> None:
        claims = await claim(queue, 500)
        assert len(claims) == 500
        for each in claims[:50]:
            assert await queue.prolong(each, lease_s=LEASE_S)

    with_queue_at(own_table.url, work)
    eventually(lambda: _updates(own_table)[0] == 550)
    assert _updates(own_table)[1] >= 450


def _updates(table: Table) -> list[int]:
    """Return the number of all updates of the table, and of HOT updates."""
    (counts,) = table.run(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'highlights'"
    )
    return counts


OLD_CLAIM = """
    UPDATE highlights SET lease = gen_random_uuid(), attempts = attempts + 1,
        available_at = clock_timestamp() + make_interval(secs => :seconds)
"""


def test_an_older_function_s_lease_holds_until_its_end(quiet_stack: Stack, table: Table) -> None:
    """It is stored in available_at alone, and respected by newer functions during a deployment."""
    put(table)
    table.run(OLD_CLAIM, seconds=60)

    async def work(queue: HighlightStore) -> None:
        assert await claim(queue, crashed=True) == []
        table.run(OLD_CLAIM, seconds=-1)
        assert len(await claim(queue, crashed=True)) == 1

    with_queue(quiet_stack, work)


def test_a_new_revision_can_be_claimed_at_once(quiet_stack: Stack, table: Table) -> None:
    """A new revision ends any lease, also one of an older function."""
    put(table)

    async def work(queue: HighlightStore) -> None:
        assert len(await claim(queue)) == 1
        table.run("UPDATE highlights SET lease = NULL")
        assert len(await claim(queue)) == 1

    with_queue(quiet_stack, work)


def test_a_lease_is_prolonged_only_while_it_is_valid(quiet_stack: Stack, table: Table) -> None:
    """Not for a worker that has lost it."""
    put(table)

    async def work(queue: HighlightStore) -> None:
        (claimed,) = await claim(queue)
        table.run(LEASES_END)
        assert await queue.prolong(claimed, lease_s=LEASE_S)
        assert await claim(queue, crashed=True) == []
        table.run("UPDATE highlights SET lease = gen_random_uuid()")
        assert not await queue.prolong(claimed, lease_s=LEASE_S)

    with_queue(quiet_stack, work)


def test_an_attempt_that_does_not_count_leaves_all_others(quiet_stack: Stack, table: Table) -> None:
    """However often the endpoint is away."""
    put(table)

    async def work(queue: HighlightStore) -> None:
        for _ in range(2 * ATTEMPTS):
            (claimed,) = await claim(queue)
            assert claimed.attempts == 1
            await queue.give_back([GivenBack(claimed, 0, failed=False)], max_attempts=1)

    with_queue(quiet_stack, work)
    assert table.statuses() == {"PENDING_AI": 1}


PROVISIONAL = enrichment(provisional=True)
TOLD = "SELECT status, title, enriched_by, provisional, attempts, change_xid::text FROM highlights"


def test_a_provisional_text_is_replaced_once(quiet_stack: Stack, table: Table) -> None:
    """It is READY all the time, has all attempts again, and its second text is another change."""
    put(table)
    seen = []

    async def work(queue: HighlightStore) -> None:
        (claimed,) = await claim(queue)
        await queue.finish([(claimed, PROVISIONAL)])
        seen.extend(table.run(TOLD))
        assert await claim(queue) == []
        (again,) = await claim(queue, provisional=True)
        assert (again.id, again.provisional) == (claimed.id, True)
        better = Enrichment(
            {"de": HighlightText("Tor", "Ein Tor.")}, "model:m", ("number",), "https://host/a.png"
        )
        await queue.finish([(again, better)])
        seen.extend(table.run(TOLD))
        assert await claim(queue, provisional=True) == []

    with_queue(quiet_stack, work)
    (*first, before), (*second, after) = seen
    assert first == ["READY", "Goal", "template", True, 0]
    assert second == ["READY", "Tor", "model:m", False, 1]
    assert int(after) > int(before)
    assert table.run("SELECT texts, refused, thumbnail_url FROM highlights") == [
        [{"de": {"title": "Tor", "summary": "Ein Tor."}}, ["number"], "https://host/a.png"]
    ]


def test_a_provisional_text_stays_when_no_attempt_is_left(quiet_stack: Stack, table: Table) -> None:
    """Readers see nothing of the attempts."""
    put(table)

    async def work(queue: HighlightStore) -> None:
        (claimed,) = await claim(queue)
        await queue.finish([(claimed, PROVISIONAL)])
        before = table.run("SELECT change_xid::text FROM highlights")
        for _ in range(ATTEMPTS):
            (again,) = await claim(queue, provisional=True)
            await queue.give_back([GivenBack(again, 0)], max_attempts=ATTEMPTS)
        assert await claim(queue, provisional=True) == []
        assert table.run("SELECT change_xid::text FROM highlights") == before

    with_queue(quiet_stack, work)
    assert table.statuses() == {"READY": 1}


def test_new_facts_end_a_provisional_text(quiet_stack: Stack, table: Table) -> None:
    """Nothing of it is shown any more, and it awaits its text like any other."""
    put(table)

    async def work(queue: HighlightStore) -> None:
        (claimed,) = await claim(queue)
        await queue.finish([(claimed, PROVISIONAL)])
        (late,) = await claim(queue, provisional=True)
        for revision, status in ((1, "PENDING_AI"), (2, "RETRACTED")):
            event = identified(
                eventId="1", revision=revision, player="Mbappé", retracted=revision > 1
            )
            corrected = revision_of(event, ReceivedRecord(None, None, None), RULES)
            corrected.id = str(late.id)
            await queue.record([corrected])
            assert table.run(TOLD)[0][:4] == [status, None, None, False]
            assert await queue.finish([(late, TEXT)]) == []
            assert not await queue.prolong(late, lease_s=LEASE_S)

    with_queue(quiet_stack, work)


def test_an_older_function_leaves_nothing_of_a_text_that_it_replaces(
    quiet_stack: Stack, table: Table
) -> None:
    """It knows only title and summary, and what it keeps of both stays whole."""
    put(table, 2)

    async def work(queue: HighlightStore) -> None:
        await queue.finish([(each, PROVISIONAL) for each in await claim(queue)])

    with_queue(quiet_stack, work)
    table.run("UPDATE highlights SET title = NULL, summary = NULL WHERE event_id = '1'")
    table.run("UPDATE highlights SET updated_at = now() WHERE event_id = '2'")
    told = "SELECT texts IS NULL, enriched_by, provisional FROM highlights ORDER BY event_id"
    assert table.run(told) == [[True, None, False], [False, "template", True]]
