"""The work of enrich-batch: claim, describe, finish, in bounded time, whatever goes wrong."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.consume_goal.revisions import revision_of
from functions.enrich_batch.enricher import Draft, Enricher, EnrichmentTask
from functions.enrich_batch.queue.results import EnrichmentCounts
from functions.enrich_batch.queue.worker import EnrichmentWorker
from functions.enrich_batch.review import Reviewer
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.contract.highlight import Facts, HighlightText, Status
from functions.shared.errors import Unavailable
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.settings.load import load
from tests.support.builders.events import MATCH, OTHER_MATCH, identified
from tests.support.builders.revisions import RULES
from tests.support.fakes.services import FakeCache, FakeStore

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class RecordingEnricher:
    """An enricher whose text is the player's name; a test may replace its behaviour."""

    def __init__(self) -> None:
        self.seen: list[Facts] = []
        self.side_effect: Callable[[Facts], object] = lambda _: None
        self.running = 0
        self.max_running = 0

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return the text; a player named `fails` or `hangs` makes it fail or hang."""
        facts = task.facts
        self.seen.append(facts)
        self.running += 1
        self.max_running = max(self.max_running, self.running)
        self.side_effect(facts)
        await asyncio.sleep(0)
        self.running -= 1
        if facts.player == "fails":
            raise ValueError("no text")
        if facts.player == "hangs":
            await asyncio.get_running_loop().create_future()
        return Draft({"en": HighlightText(f"GOAL by {facts.player}", "A goal.")}, "template")


class WorkerHarness:
    """A queue, an enricher, and the worker that uses them."""

    def __init__(self, enricher: Enricher | None = None, **settings: str) -> None:
        self.store = FakeStore()
        self.cache = FakeCache()
        self.recorder = RecordingEnricher()
        self.enricher = enricher or self.recorder
        environ = {"DATABASE_URL": "postgresql://", **settings}
        self.settings = load(EnrichBatchSettings, environ)

    def goals(self, *players: str, match_id: UUID = MATCH) -> list[UUID]:
        """Record a goal of each of these players; return the highlights' ids."""
        rows = [
            revision_of(
                identified(matchId=str(match_id), eventId=f"{at}", player=player),
                ReceivedRecord(None, TRACE, None),
                RULES,
            )
            for at, player in enumerate(players, len(self.store.rows))
        ]
        return [change.id for change in asyncio.run(self.store.record(rows))]

    def run(self) -> EnrichmentCounts:
        """Run the worker once, as a request does."""
        worker = EnrichmentWorker(
            self.store,
            self.cache,
            Reviewer(self.enricher),
            self.settings,
            clock=lambda: self.store.now,
            uniform=lambda _, longest: longest,
        )
        return asyncio.run(worker.run())

    def statuses(self, ids: Sequence[UUID]) -> list[str]:
        """Return the statuses of these highlights."""
        return [self.store.rows[id_]["status"] for id_ in ids]


def test_a_pending_highlight_gets_its_text() -> None:
    """Title and summary, and the status READY."""
    harness = WorkerHarness()
    (highlight,) = harness.goals("Messi")
    assert harness.run() == EnrichmentCounts(claimed=1, ready=1)
    row = harness.store.rows[highlight]
    assert (row["title"], row["summary"]) == ("GOAL by Messi", "A goal.")
    assert (row["status"], row["lease"]) == (Status.READY, None)


def test_the_enricher_gets_all_facts_of_the_event() -> None:
    """Each under its own name, in words."""
    harness = WorkerHarness()
    event = identified(
        eventType="own_goal", team="home", player="Saïss", description="Off the post.", minute=45,
        addedTime=2, homeTeam="Canada", awayTeam="Morocco", homeScore=1, awayScore=2,
    )  # fmt: skip
    asyncio.run(harness.store.record([revision_of(event, ReceivedRecord(None, None, None), RULES)]))
    harness.run()
    assert harness.recorder.seen[0] == Facts(
        "own goal",
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


def test_without_pending_highlights_nothing_is_done() -> None:
    """Cron calls far more often than there are goals."""
    harness = WorkerHarness()
    assert harness.run() == EnrichmentCounts()
    assert harness.store.statements <= 3


@pytest.mark.parametrize("goals", [1, 2, 3, 4, 7])
def test_a_run_continues_until_no_highlight_is_pending(goals: int) -> None:
    """Batch by batch, however many there are."""
    harness = WorkerHarness(ENRICH_BATCH_SIZE="2")
    ids = harness.goals(*["Messi"] * goals)
    assert harness.run() == EnrichmentCounts(claimed=goals, ready=goals)
    assert harness.statuses(ids) == [Status.READY] * goals
    assert harness.recorder.max_running <= 2


def test_the_highlights_of_a_batch_are_enriched_concurrently() -> None:
    """They wait for an AI together, not one after the other."""
    harness = WorkerHarness()
    harness.goals(*["Messi"] * 5)
    harness.run()
    assert harness.recorder.max_running == 5


def test_a_failed_attempt_does_not_fail_the_others() -> None:
    """It is postponed, and claimed again after its backoff."""
    harness = WorkerHarness(ENRICH_BACKOFF_S="2")
    ids = harness.goals("Messi", "fails", "Mbappé")
    assert harness.run() == EnrichmentCounts(claimed=3, ready=2, postponed=1, remaining=1)
    assert harness.statuses(ids) == [Status.READY, Status.PENDING_AI, Status.READY]
    assert harness.run() == EnrichmentCounts(remaining=1)
    harness.store.now += 2
    assert harness.run() == EnrichmentCounts(claimed=1, postponed=1, remaining=1)


def test_an_attempt_that_hangs_fails_after_its_timeout() -> None:
    """It is postponed."""
    harness = WorkerHarness(ENRICH_TIMEOUT_S="0.2")
    ids = harness.goals("Messi", "hangs")
    assert harness.run() == EnrichmentCounts(claimed=2, ready=1, postponed=1, remaining=1)
    assert harness.statuses(ids) == [Status.READY, Status.PENDING_AI]


def test_a_highlight_fails_when_its_last_attempt_fails() -> None:
    """FAILED_AI, after the allowed attempts, with a longer backoff each time."""
    harness = WorkerHarness(ENRICH_MAX_ATTEMPTS="3", ENRICH_BACKOFF_S="1")
    ids = harness.goals("fails")
    counts = []
    for wait_s in (0, 1, 2):
        harness.store.now += wait_s
        counts.append(harness.run())
    postponed = EnrichmentCounts(claimed=1, postponed=1, remaining=1)
    assert counts == [postponed, postponed, EnrichmentCounts(claimed=1, failed=1)]
    assert harness.statuses(ids) == [Status.FAILED_AI]
    assert len(harness.recorder.seen) == 3


def test_each_highlight_that_fails_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With the message that a deployment's alarms watch; highlights that are READY are not."""
    harness = WorkerHarness(ENRICH_MAX_ATTEMPTS="2", ENRICH_BACKOFF_S="2")
    failing, _ = harness.goals("fails", "Messi")
    for _ in range(3):
        harness.run()
        harness.store.now += 10
    failures = [
        vars(each)["fields"] for each in caplog.records if each.message == "highlight failed"
    ]
    assert [(fields["highlightId"], fields["attempts"]) for fields in failures] == [
        (str(failing), 2)
    ]


def test_a_highlight_fails_when_a_worker_crashes_in_its_last_attempt() -> None:
    """When its lease ends, the next run makes it FAILED_AI and counts it."""
    harness = WorkerHarness(ENRICH_MAX_ATTEMPTS="1", ENRICH_LEASE_S="60")
    ids = harness.goals("Messi")
    asyncio.run(harness.store.claim(limit=1, lease_s=60))
    assert harness.run() == EnrichmentCounts(remaining=1)
    harness.store.now += 60
    assert harness.run() == EnrichmentCounts(claimed=1, failed=1)
    assert harness.statuses(ids) == [Status.FAILED_AI]
    assert not harness.recorder.seen


def test_a_highlight_is_claimed_again_after_a_crash() -> None:
    """When its lease has ended, and not before."""
    harness = WorkerHarness()
    ids = harness.goals("Messi")
    asyncio.run(harness.store.claim(limit=1, lease_s=60))
    harness.store.now += 59
    assert harness.run() == EnrichmentCounts(remaining=1)
    harness.store.now += 1
    assert harness.run() == EnrichmentCounts(claimed=1, ready=1)
    assert harness.statuses(ids) == [Status.READY]


def test_a_highlight_that_crashes_its_worker_takes_no_other_of_its_batch_with_it() -> None:
    """All of the batch are tried alone then: the others once, and that one to its last attempt."""
    harness = WorkerHarness(ENRICH_MAX_ATTEMPTS="3", ENRICH_LEASE_S="30")
    beside: list[int] = []

    def crash(facts: Facts) -> None:
        if facts.player == "crash":
            beside.append(harness.recorder.running - 1)
            harness.recorder.running = 0
            raise SystemExit

    harness.recorder.side_effect = crash
    ids = harness.goals("Messi", "Mbappé", "crash", "Di María")
    for _ in range(10):
        with suppress(SystemExit):
            harness.run()
        harness.store.now += 31
    ready = Status.READY
    assert harness.statuses(ids) == [ready, ready, Status.FAILED_AI, ready]
    assert beside[0] > 0
    assert beside[1:] == [0, 0]
    assert max(harness.store.rows[id_]["attempts"] for id_ in ids) == 4


def test_a_worker_without_a_valid_lease_changes_nothing() -> None:
    """Another worker has the lease by now; the late result is not counted either."""
    harness = WorkerHarness(ENRICH_LEASE_S="60")
    ids = harness.goals("Messi", "fails")
    others: list[Any] = []

    def another_claims(_: Facts) -> None:
        if not others:
            harness.store.now += 60
            claiming = harness.store.claim(limit=10, lease_s=60, crashed=True)
            others.append(_finished(claiming))

    harness.recorder.side_effect = another_claims
    assert harness.run() == EnrichmentCounts(claimed=2, remaining=2)
    leases = {claim.id: claim.lease for claim in others[0]}
    assert {id_: harness.store.rows[id_]["lease"] for id_ in ids} == leases


def test_a_goal_that_is_retracted_meanwhile_stays_retracted() -> None:
    """Its text arrives too late."""
    harness = WorkerHarness()
    (highlight,) = harness.goals("Messi")
    retraction = revision_of(
        identified(eventId="0", retracted=True), ReceivedRecord(None, None, None), RULES
    )
    harness.recorder.side_effect = lambda _: _finished(harness.store.record([retraction]))
    assert harness.run() == EnrichmentCounts(claimed=1)
    assert harness.statuses([highlight]) == [Status.RETRACTED]
    assert harness.store.rows[highlight]["title"] is None


def test_a_run_ends_when_its_time_budget_is_spent() -> None:
    """With the number of highlights that remain."""
    harness = WorkerHarness(ENRICH_BATCH_SIZE="2", ENRICH_TIME_BUDGET_S="10")
    harness.goals(*["Messi"] * 9)

    def take_time(_: Facts) -> None:
        harness.store.now += 3

    harness.recorder.side_effect = take_time
    assert harness.run() == EnrichmentCounts(claimed=4, ready=4, remaining=5)


@pytest.mark.parametrize(
    "error", [OSError("away"), TimeoutError(), ValueError("\ud800"), asyncio.CancelledError()]
)
def test_an_attempt_may_fail_with_any_error(error: BaseException) -> None:
    """Any error of an AI's client is one failed attempt."""

    class FailingEnricher:
        async def enrich(self, _: EnrichmentTask) -> Draft:
            raise error

    harness = WorkerHarness(FailingEnricher())
    harness.goals("Messi")
    assert harness.run() == EnrichmentCounts(claimed=1, postponed=1, remaining=1)


def test_a_text_that_postgres_refuses_fails_alone() -> None:
    """The other highlights become READY."""
    harness = WorkerHarness()
    harness.store.refuses = lambda given: "Nul" in (given.get("title") or "")
    ids = harness.goals("Messi", "Nul", "Mbappé")
    assert harness.run() == EnrichmentCounts(claimed=3, ready=2, postponed=1, remaining=1)
    assert harness.statuses(ids) == [Status.READY, Status.PENDING_AI, Status.READY]


def test_an_unavailable_database_ends_the_run() -> None:
    """The caller has to retry; claims become free when their leases end."""
    harness = WorkerHarness()
    harness.goals("Messi")

    def fail_store(_: Facts) -> None:
        harness.store.away = True

    harness.recorder.side_effect = fail_store
    with pytest.raises(Unavailable):
        harness.run()
    harness.store.away, harness.recorder.side_effect = False, lambda _: None
    harness.store.now += harness.settings.enrich_lease_s
    assert harness.run() == EnrichmentCounts(claimed=1, ready=1)


def test_the_cached_pages_of_changed_matches_are_dropped() -> None:
    """Of matches whose highlights became READY or FAILED_AI, and of no others."""
    harness = WorkerHarness(ENRICH_MAX_ATTEMPTS="1")
    harness.goals("Messi", "fails")
    other = UUID(int=3)
    harness.goals("Mbappé", match_id=OTHER_MATCH)
    pages: list[bytes | None] = []

    async def keep_pages() -> None:
        for match_id in (MATCH, OTHER_MATCH, other):
            _, lease = await harness.cache.lease(match_id, ":50")
            await harness.cache.fill(match_id, ":50", b"[]", lease or b"")

    asyncio.run(keep_pages())
    harness.run()
    pages = [harness.cache.pages.get((match_id, ":50")) for match_id in (MATCH, OTHER_MATCH, other)]
    assert pages == [None, None, b"[]"]


def test_a_cached_page_is_dropped_before_a_crashed_highlight_fails() -> None:
    """A reader who has seen FAILED_AI is not shown PENDING_AI afterwards."""
    harness = WorkerHarness(ENRICH_MAX_ATTEMPTS="1")
    harness.goals("Messi")
    asyncio.run(harness.store.claim(limit=1, lease_s=60))
    harness.store.now += 60
    give_back = harness.store.give_back
    under_way: list[bool] = []

    async def observed(*arguments: Any, **named: Any) -> Any:
        under_way.append({MATCH} in harness.cache.changed)
        return await give_back(*arguments, **named)

    harness.store.give_back = observed  # type: ignore[method-assign] # looks on, and changes nothing
    harness.run()
    assert under_way == [True]


def test_logs_of_a_highlight_have_the_correlation_id_of_its_event(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """From the POST to the row it is one id."""
    caplog.set_level(logging.INFO)
    harness = WorkerHarness()
    ready, failed = harness.goals("Messi", "fails")
    harness.run()
    lines = {
        vars(record)["fields"]["highlightId"]: vars(record)["fields"] for record in caplog.records
    }
    assert set(lines) == {str(ready), str(failed)}
    assert {line["correlationId"] for line in lines.values()} == {TRACE[3:35]}
    assert "no text" in lines[str(failed)]["error"]


@given(st.lists(st.sampled_from(["Messi", "fails"]), max_size=9), st.integers(1, 4))
def test_every_highlight_ends_ready_or_failed(players: list[str], batch_size: int) -> None:
    """And the counts of all runs add up."""
    harness = WorkerHarness(ENRICH_BATCH_SIZE=str(batch_size), ENRICH_MAX_ATTEMPTS="3")
    ids = harness.goals(*players)
    runs: list[EnrichmentCounts] = []
    while not runs or runs[-1].remaining:
        runs.append(harness.run())
        harness.store.now += 3600
    assert harness.statuses(ids) == [
        Status.READY if name == "Messi" else Status.FAILED_AI for name in players
    ]
    assert sum(run.ready for run in runs) == players.count("Messi")
    assert sum(run.failed for run in runs) == players.count("fails")
    assert sum(run.postponed for run in runs) == 2 * players.count("fails")
    assert all(run.claimed == run.ready + run.failed + run.postponed for run in runs)


def _finished(coroutine: Any) -> Any:
    """Return the result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError
