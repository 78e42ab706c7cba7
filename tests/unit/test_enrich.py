"""The work of enrich-batch: claim, describe, finish, in bounded time, whatever goes wrong."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.consume_goal.consume import revision_of
from functions.enrich_batch.enrich import EnrichBatch, Tally
from functions.enrich_batch.facts import Enricher
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.contract.highlight import Facts, HighlightText, Status
from functions.shared.errors import Unavailable
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.settings.load import load
from tests.support.builders.events import MATCH, OTHER_MATCH, identified
from tests.support.builders.revisions import RULES
from tests.support.fakes.services import FakeCache, FakeStore

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Namer:
    """An enricher that calls a goal by its player; the test may have it do something else."""

    def __init__(self) -> None:
        self.seen: list[Facts] = []
        self.meanwhile: Callable[[Facts], object] = lambda _: None
        self.at_once = 0
        self.most_at_once = 0

    async def enrich(self, facts: Facts) -> HighlightText:
        """Return the text; who is called `fails` or `hangs` does so."""
        self.seen.append(facts)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.meanwhile(facts)
        await asyncio.sleep(0)
        self.at_once -= 1
        if facts.player == "fails":
            raise ValueError("no text")
        if facts.player == "hangs":
            await asyncio.get_running_loop().create_future()
        return HighlightText(f"GOAL by {facts.player}", "It counts.")


class Work:
    """A queue, an enricher, and the worker between them."""

    def __init__(self, enricher: Enricher | None = None, **settings: str) -> None:
        self.store = FakeStore()
        self.cache = FakeCache()
        self.namer = Namer()
        self.enricher = enricher or self.namer
        environ = {"DATABASE_URL": "postgresql://", **settings}
        self.settings = load(EnrichBatchSettings, environ)

    def goals(self, *players: str, match_id: UUID = MATCH) -> list[UUID]:
        """Record a goal of each of these players; return their ids."""
        rows = [
            revision_of(
                identified(matchId=str(match_id), eventId=f"{at}", player=player),
                ReceivedRecord(None, TRACE, None),
                RULES,
            )
            for at, player in enumerate(players, len(self.store.rows))
        ]
        return [change.id for change in asyncio.run(self.store.record(rows))]

    def run(self) -> Tally:
        """Do what a call of the function does."""
        worker = EnrichBatch(
            self.store, self.cache, self.enricher, self.settings, clock=lambda: self.store.now
        )
        return asyncio.run(worker.run())

    def statuses(self, ids: Sequence[UUID]) -> list[str]:
        """Return the statuses of these highlights."""
        return [self.store.rows[id_]["status"] for id_ in ids]


def test_what_awaits_its_text_gets_it() -> None:
    """Title and summary, and the status READY."""
    work = Work()
    (highlight,) = work.goals("Messi")
    assert work.run() == Tally(claimed=1, ready=1)
    made = work.store.rows[highlight]
    assert (made["title"], made["summary"]) == ("GOAL by Messi", "It counts.")
    assert (made["status"], made["lease"]) == (Status.READY, None)


def test_an_enricher_is_told_all_that_the_event_says() -> None:
    """Each fact under its own name."""
    work = Work()
    event = identified(
        eventType="own_goal", team="home", player="Saïss", description="Off the post.", minute=45,
        addedTime=2, homeTeam="Canada", awayTeam="Morocco", homeScore=1, awayScore=2,
    )  # fmt: skip
    asyncio.run(work.store.record([revision_of(event, ReceivedRecord(None, None, None), RULES)]))
    work.run()
    assert work.namer.seen == [
        Facts(
            "own_goal",
            team="home",
            player="Saïss",
            description="Off the post.",
            minute=45,
            added_time=2,
            home_team="Canada",
            away_team="Morocco",
            home_score=1,
            away_score=2,
        )
    ]


def test_without_work_nothing_is_done() -> None:
    """Cron calls far more often than there are goals."""
    work = Work()
    assert work.run() == Tally()
    assert work.store.statements <= 3


@pytest.mark.parametrize("goals", [1, 2, 3, 4, 7])
def test_a_call_works_until_nothing_is_left(goals: int) -> None:
    """Batch by batch, however many there are."""
    work = Work(ENRICH_BATCH_SIZE="2")
    ids = work.goals(*["Messi"] * goals)
    assert work.run() == Tally(claimed=goals, ready=goals)
    assert work.statuses(ids) == [Status.READY] * goals
    assert work.namer.most_at_once <= 2


def test_the_highlights_of_a_batch_are_described_at_once() -> None:
    """They wait for an AI together, not in turn."""
    work = Work()
    work.goals(*["Messi"] * 5)
    work.run()
    assert work.namer.most_at_once == 5


def test_one_that_fails_does_not_fail_the_others() -> None:
    """It is put off, and comes up again when its time has come."""
    work = Work(ENRICH_BACKOFF_S="2")
    ids = work.goals("Messi", "fails", "Mbappé")
    assert work.run() == Tally(claimed=3, ready=2, postponed=1, remaining=1)
    assert work.statuses(ids) == [Status.READY, Status.PENDING_AI, Status.READY]
    assert work.run() == Tally(remaining=1)
    work.store.now += 2
    assert work.run() == Tally(claimed=1, postponed=1, remaining=1)


def test_one_that_hangs_is_given_up_after_its_time() -> None:
    """As one that failed."""
    work = Work(ENRICH_TIMEOUT_S="0.2")
    ids = work.goals("Messi", "hangs")
    assert work.run() == Tally(claimed=2, ready=1, postponed=1, remaining=1)
    assert work.statuses(ids) == [Status.READY, Status.PENDING_AI]


def test_the_last_attempt_that_fails_is_the_end() -> None:
    """FAILED_AI, after as many attempts as are allowed, each later than the one before."""
    work = Work(ENRICH_MAX_ATTEMPTS="3", ENRICH_BACKOFF_S="1")
    ids = work.goals("fails")
    tallies = []
    for wait_s in (0, 1, 2):
        work.store.now += wait_s
        tallies.append(work.run())
    postponed = Tally(claimed=1, postponed=1, remaining=1)
    assert tallies == [postponed, postponed, Tally(claimed=1, failed=1)]
    assert work.statuses(ids) == [Status.FAILED_AI]
    assert len(work.namer.seen) == 3


def test_the_log_tells_of_each_highlight_that_failed_for_good(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Once, by this message, which the alarms of a deployment look for; READY ones are not told."""
    work = Work(ENRICH_MAX_ATTEMPTS="2", ENRICH_BACKOFF_S="2")
    failing, _ = work.goals("fails", "Messi")
    for _ in range(3):
        work.run()
        work.store.now += 10
    told = [vars(each)["fields"] for each in caplog.records if each.message == "highlight failed"]
    assert [(fields["highlightId"], fields["attempts"]) for fields in told] == [(str(failing), 2)]


def test_a_worker_that_crashed_at_the_last_attempt_leaves_nothing_pending() -> None:
    """Its lease runs out, and the next call says FAILED_AI and counts it."""
    work = Work(ENRICH_MAX_ATTEMPTS="1", ENRICH_LEASE_S="60")
    ids = work.goals("Messi")
    asyncio.run(work.store.claim(limit=1, lease_s=60))
    assert work.run() == Tally(remaining=1)
    work.store.now += 60
    assert work.run() == Tally(claimed=1, failed=1)
    assert work.statuses(ids) == [Status.FAILED_AI]
    assert not work.namer.seen


def test_a_crash_half_way_is_taken_up_again() -> None:
    """When the lease has run out, and not before."""
    work = Work()
    ids = work.goals("Messi")
    asyncio.run(work.store.claim(limit=1, lease_s=60))
    work.store.now += 59
    assert work.run() == Tally(remaining=1)
    work.store.now += 1
    assert work.run() == Tally(claimed=1, ready=1)
    assert work.statuses(ids) == [Status.READY]


def test_who_lost_the_lease_changes_nothing() -> None:
    """Another worker has it by now: what comes too late is not counted either."""
    work = Work(ENRICH_LEASE_S="60")
    ids = work.goals("Messi", "fails")
    others: list[Any] = []

    def another_claims(_: Facts) -> None:
        if not others:
            work.store.now += 60
            claiming = work.store.claim(limit=10, lease_s=60)
            others.append(_finished(claiming))

    work.namer.meanwhile = another_claims
    assert work.run() == Tally(claimed=2, remaining=2)
    leases = {claim.id: claim.lease for claim in others[0]}
    assert {id_: work.store.rows[id_]["lease"] for id_ in ids} == leases


def test_a_goal_that_is_retracted_meanwhile_stays_so() -> None:
    """The text comes too late."""
    work = Work()
    (highlight,) = work.goals("Messi")
    retraction = revision_of(
        identified(eventId="0", retracted=True), ReceivedRecord(None, None, None), RULES
    )
    work.namer.meanwhile = lambda _: _finished(work.store.record([retraction]))
    assert work.run() == Tally(claimed=1)
    assert work.statuses([highlight]) == [Status.RETRACTED]
    assert work.store.rows[highlight]["title"] is None


def test_a_call_ends_when_its_time_is_spent() -> None:
    """With what remains, for the next one."""
    work = Work(ENRICH_BATCH_SIZE="2", ENRICH_TIME_BUDGET_S="10")
    work.goals(*["Messi"] * 9)

    def take_time(_: Facts) -> None:
        work.store.now += 3

    work.namer.meanwhile = take_time
    assert work.run() == Tally(claimed=4, ready=4, remaining=5)


@pytest.mark.parametrize(
    "error", [OSError("away"), TimeoutError(), ValueError("\ud800"), asyncio.CancelledError()]
)
def test_an_attempt_may_fail_with_any_error(error: BaseException) -> None:
    """Whatever an AI's client raises, it is one failed attempt."""

    class Broken:
        async def enrich(self, _: Facts) -> HighlightText:
            raise error

    work = Work(Broken())
    work.goals("Messi")
    assert work.run() == Tally(claimed=1, postponed=1, remaining=1)


def test_a_text_that_cannot_be_kept_fails_alone() -> None:
    """What Postgres refuses of one highlight leaves the others READY."""

    class Careless:
        async def enrich(self, facts: Facts) -> HighlightText:
            return HighlightText("GOAL\0" if facts.player == "nul" else "GOAL", "")

    work = Work(Careless())
    work.store.refuses = lambda given: "\0" in (given.get("title") or "")
    ids = work.goals("Messi", "nul", "Mbappé")
    assert work.run() == Tally(claimed=3, ready=2, postponed=1, remaining=1)
    assert work.statuses(ids) == [Status.READY, Status.PENDING_AI, Status.READY]


def test_a_database_that_is_away_ends_the_call() -> None:
    """The caller is told to come again; what was claimed comes up by itself."""
    work = Work()
    work.goals("Messi")

    def go_away(_: Facts) -> None:
        work.store.away = True

    work.namer.meanwhile = go_away
    with pytest.raises(Unavailable):
        work.run()
    work.store.away, work.namer.meanwhile = False, lambda _: None
    work.store.now += work.settings.enrich_lease_s
    assert work.run() == Tally(claimed=1, ready=1)


def test_the_pages_of_a_match_are_dropped_around_its_change() -> None:
    """Of matches whose highlights became READY or FAILED_AI, and of no others."""
    work = Work(ENRICH_MAX_ATTEMPTS="1")
    work.goals("Messi", "fails")
    other = UUID(int=3)
    work.goals("Mbappé", match_id=OTHER_MATCH)
    pages: list[bytes | None] = []

    async def keep_pages() -> None:
        for match_id in (MATCH, OTHER_MATCH, other):
            lease = await work.cache.lease(match_id)
            await work.cache.fill(match_id, ":50", b"[]", lease or b"")

    asyncio.run(keep_pages())
    work.run()
    pages = [work.cache.pages.get((match_id, ":50")) for match_id in (MATCH, OTHER_MATCH, other)]
    assert pages == [None, None, b"[]"]


def test_a_page_is_dropped_before_what_crashed_is_seen_to_have_failed() -> None:
    """A reader who has seen FAILED_AI is not shown PENDING_AI afterwards."""
    work = Work(ENRICH_MAX_ATTEMPTS="1")
    work.goals("Messi")
    asyncio.run(work.store.claim(limit=1, lease_s=60))
    work.store.now += 60
    give_back = work.store.give_back
    under_way: list[bool] = []

    async def observed(*arguments: Any, **named: Any) -> Any:
        under_way.append({MATCH} in work.cache.changed)
        return await give_back(*arguments, **named)

    work.store.give_back = observed  # type: ignore[method-assign] # looks on, and changes nothing
    work.run()
    assert under_way == [True]


def test_the_log_follows_a_highlight_by_the_trace_of_its_event(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """From the POST to the row, one correlation id."""
    caplog.set_level(logging.INFO)
    work = Work()
    ready, failed = work.goals("Messi", "fails")
    work.run()
    lines = {
        vars(record)["fields"]["highlightId"]: vars(record)["fields"] for record in caplog.records
    }
    assert set(lines) == {str(ready), str(failed)}
    assert {line["correlationId"] for line in lines.values()} == {TRACE[3:35]}
    assert "no text" in lines[str(failed)]["error"]


@given(st.lists(st.sampled_from(["Messi", "fails"]), max_size=9), st.integers(1, 4))
def test_every_highlight_ends_ready_or_failed(players: list[str], batch_size: int) -> None:
    """And the tallies of all calls add up to what there was."""
    work = Work(ENRICH_BATCH_SIZE=str(batch_size), ENRICH_MAX_ATTEMPTS="3")
    ids = work.goals(*players)
    calls: list[Tally] = []
    while not calls or calls[-1].remaining:
        calls.append(work.run())
        work.store.now += 3600
    assert work.statuses(ids) == [
        Status.READY if name == "Messi" else Status.FAILED_AI for name in players
    ]
    assert sum(call.ready for call in calls) == players.count("Messi")
    assert sum(call.failed for call in calls) == players.count("fails")
    assert sum(call.postponed for call in calls) == 2 * players.count("fails")
    assert all(call.claimed == call.ready + call.failed + call.postponed for call in calls)


def _finished(coroutine: Any) -> Any:
    """Return what a coroutine that waits for nothing returns."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError
