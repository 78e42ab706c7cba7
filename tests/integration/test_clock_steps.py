"""Steps of Postgres' clock, back or forward, neither delay nor duplicate enrichment."""

import re
from collections.abc import Awaitable, Callable

import pytest

from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.contract.highlight import Status
from functions.shared.postgres.highlight_sql import CLAIM, LONGEST_BACKOFF_S
from functions.shared.postgres.highlights import Claim, GivenBack, HighlightStore
from functions.shared.settings.load import load
from tests.integration.test_leases import TEXT, put, with_queue_at
from tests.support.builders.events import MATCH
from tests.support.drivers.table import Table

HOUR_S = 3600
SETTINGS = load(EnrichBatchSettings, {"DATABASE_URL": "postgresql://u@h/d"})
LEASE_S, AHEAD_S = SETTINGS.enrich_lease_s, SETTINGS.max_ahead_s
STEP = """UPDATE highlights SET available_at = available_at + make_interval(secs => :seconds),
    leased_until = leased_until + make_interval(secs => :seconds)"""


async def claim(queue: HighlightStore, **which: bool) -> list[Claim]:
    """Claim as enrich-batch does by default."""
    return await queue.claim(limit=100, lease_s=LEASE_S, ahead_s=AHEAD_S, **which)


def step_back(table: Table, seconds: float = HOUR_S) -> None:
    """Simulate a clock that steps back, by moving the written times ahead."""
    table.run(STEP, seconds=seconds)


Work = Callable[[HighlightStore], Awaitable[None]]


def test_what_was_recorded_before_the_clock_stepped_back_is_claimed_at_once(
    own_table: Table,
) -> None:
    """Even if it is due only in an hour by the new clock."""
    put(own_table, 3)
    step_back(own_table)

    async def work(queue: HighlightStore) -> None:
        assert len(await claim(queue)) == 3
        assert await claim(queue) == []

    with_queue_at(own_table.url, work)


@pytest.mark.parametrize("step_s", [1, 10, HOUR_S, 24 * HOUR_S])
def test_claims_of_a_crash_before_the_clock_stepped_back_wait_no_longer_than_a_lease(
    own_table: Table, step_s: int
) -> None:
    """However far it steps: the limit comes from the settings, not from the clock."""
    put(own_table)

    async def work(queue: HighlightStore) -> None:
        (first,) = await claim(queue)
        step_back(own_table, step_s)
        waited_s = 0.0
        while not (claims := await claim(queue, crashed=True)):
            waited_s += 5
            own_table.run(STEP, seconds=-5)  # time goes by
        assert claims[0].id == first.id
        assert waited_s <= AHEAD_S

    with_queue_at(own_table.url, work)


def test_what_was_put_off_before_the_clock_stepped_back_is_claimed_too(own_table: Table) -> None:
    """A failed attempt is retried."""
    put(own_table)

    async def work(queue: HighlightStore) -> None:
        (claimed,) = await claim(queue)
        await queue.give_back([GivenBack(claimed, SETTINGS.enrich_backoff_s)], max_attempts=5)
        assert await claim(queue) == []
        step_back(own_table)
        assert len(await claim(queue)) == 1

    with_queue_at(own_table.url, work)


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_a_clock_step_during_the_work_duplicates_nothing(own_table: Table, step_s: int) -> None:
    """Two workers have claimed it; only one of them finishes it."""
    put(own_table)

    async def work(queue: HighlightStore) -> None:
        (early,) = await claim(queue)
        step_back(own_table, step_s)
        (late,) = await claim(queue, crashed=True)
        assert await queue.finish([(early, TEXT)]) == []
        assert [each.status for each in await queue.finish([(late, TEXT)])] == [Status.READY]

    with_queue_at(own_table.url, work)
    assert own_table.statuses() == {"READY": 1}


def test_no_lease_and_no_put_off_reaches_as_far_as_what_counts_as_stranded(
    own_table: Table,
) -> None:
    """Otherwise two workers would steal it from each other, with any settings."""
    longest = {"ENRICH_LEASE_S": "3600", "ENRICH_BACKOFF_S": "3600", "ENRICH_MAX_ATTEMPTS": "100"}
    given = {"DATABASE_URL": "postgresql://u@h/d", **longest}
    ahead_s = load(EnrichBatchSettings, given).max_ahead_s
    put(own_table)

    async def work(queue: HighlightStore) -> None:
        for _ in range(2):
            (claimed,) = await queue.claim(limit=9, lease_s=3600, ahead_s=ahead_s)
            assert await queue.claim(limit=9, lease_s=3600, ahead_s=ahead_s) == []
            await queue.give_back([GivenBack(claimed, LONGEST_BACKOFF_S)], max_attempts=100)
            assert await queue.claim(limit=9, lease_s=3600, ahead_s=ahead_s) == []
            own_table.run("UPDATE highlights SET available_at = now(), attempts = 98")

    with_queue_at(own_table.url, work)
    assert ahead_s > LONGEST_BACKOFF_S


def test_a_claim_reads_what_it_claims_and_not_what_is_done(own_table: Table) -> None:
    """It reads no rescheduled rows either: both ways to be due are ranges of one index."""
    own_table.run(
        "INSERT INTO highlights"
        " (id, match_id, event_id, revision, retracted, occurred_at, event_type, status,"
        " available_at)"
        " SELECT gen_random_uuid(), :match_id, n::text, 0, false, now(), 'goal',"
        " CASE WHEN n % 10 = 0 THEN 'PENDING_AI' ELSE 'READY' END, now() + interval '20 seconds'"
        " FROM generate_series(1, 20000) AS n",
        match_id=MATCH,
    )
    put(own_table, 3)
    own_table.run("ANALYZE highlights")
    statement = re.sub(r":(limit|lease_s|ahead_s)", "60", CLAIM)
    plan = own_table.run(f"EXPLAIN (ANALYZE, BUFFERS OFF) {statement}")
    text = "\n".join(line for (line,) in plan)
    assert "Seq Scan" not in text
    assert text.count("Index Scan using highlights_to_enrich") == 2
    assert text.count("Index Cond: (available_at") + text.count("Index Cond: ((available_at") == 2
    assert "Rows Removed" not in text
