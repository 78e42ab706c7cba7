"""Enrichment by an endpoint: several at once, whatever it does, and no attempt for its absence."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from functions.consume_goal.revisions import revision_of
from functions.enrich_batch.enricher import EnricherUnavailable, EnrichmentTask
from functions.enrich_batch.queue.results import EnrichmentCounts
from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.contract.highlight import Status
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.highlight_sql import LONGEST_BACKOFF_S
from tests.support.builders.enrichments import enrichment
from tests.support.builders.events import identified
from tests.support.builders.revisions import RULES
from tests.support.fakes.endpoint import TOKENS, EndpointHarness

MINUTE_S = 60
MODEL, TEMPLATE = "model:fake", "template"
# So short that real time can be waited for.
IMPATIENT = {"ENRICH_LEASE_S": "0.3", "ENRICH_TIMEOUT_S": "0.2"}


def away(_: EnrichmentTask) -> None:
    """Fail as an endpoint that is not there."""
    raise EnricherUnavailable("connection refused")


def hang(_: EnrichmentTask) -> Any:
    """Never answer."""
    return asyncio.get_running_loop().create_future()


def _raise(error: Exception) -> None:
    raise error


async def revise(harness: EndpointHarness, **event: Any) -> None:
    """Record another revision of the first goal."""
    revised = identified(**{"eventId": "0", "player": "Messi", "revision": 1, **event})
    nothing = ReceivedRecord(None, None, None)
    await harness.store.record([revision_of(revised, nothing, RULES)])


def test_a_highlight_gets_the_text_of_the_model() -> None:
    """With who wrote it in all its languages, and the tokens in the counts."""
    harness = EndpointHarness()
    (goal,) = harness.goals("Messi")
    assert harness.run() == EnrichmentCounts(claimed=1, ready=1, tokens=TOKENS)
    row = harness.store.rows[goal]
    assert (row["title"], row["enrichedBy"], row["refused"]) == ("Model on Messi", MODEL, None)
    assert row["texts"] == {"en": {"title": "Model on Messi", "summary": "A goal."}}


def test_a_refused_text_leaves_its_reason() -> None:
    """The template's text is published instead, and all tokens count."""
    harness = EndpointHarness()
    harness.endpoint.title = "A rumour on {}"
    goals = harness.goals("Messi")
    assert harness.run() == EnrichmentCounts(claimed=1, ready=1, tokens=3 * TOKENS)
    assert harness.written_by(goals) == {TEMPLATE}
    (row,) = harness.rows(goals)
    assert (row["refused"], row["provisional"]) == (["rumour"], False)


def test_several_highlights_are_at_the_endpoint_at_once() -> None:
    """Up to the limit, also while several calls of the function are under way."""
    harness = EndpointHarness(ENRICH_CONCURRENCY="3")
    goals = harness.goals(*["Messi"] * 20)

    async def call_twice() -> list[EnrichmentCounts]:
        return list(await asyncio.gather(harness.worker.run(), harness.worker.run()))

    counts = asyncio.run(call_twice())
    assert harness.endpoint.max_running == 3
    assert sum(each.ready for each in counts) == len(harness.endpoint.tasks) == 20
    assert harness.written_by(goals) == {MODEL}
    assert harness.run() == EnrichmentCounts()


def away_with_a_pause(_: EnrichmentTask) -> None:
    """Fail as an endpoint that asks to be left alone for a while."""
    raise EnricherUnavailable("503", 20)


@pytest.mark.parametrize("fail", [away, hang, away_with_a_pause])
@pytest.mark.parametrize("mode", ["template", "wait"])
def test_an_endpoint_that_is_away_for_ten_minutes_costs_no_attempt(
    mode: str, fail: Callable[[EnrichmentTask], Any]
) -> None:
    """Nothing fails; it is hardly called meanwhile, and all is enriched once it is back."""
    harness = EndpointHarness(ENRICH_WHILE_AWAY=mode, ENRICH_TIMEOUT_S="0.02")
    harness.endpoint.behave = fail
    goals, counts = [], []
    for _ in range(20):  # one every 30 s
        goals += harness.goals("Messi")
        counts.append(harness.run())
        if mode == "template":
            assert harness.written_by(goals) == {TEMPLATE}  # at once
        counts += harness.run_for(30)
        status = Status.READY if mode == "template" else Status.PENDING_AI
        assert {row["status"] for row in harness.rows(goals)} == {status}
        assert {row["attempts"] for row in harness.rows(goals)} == {0}
    assert len(harness.endpoint.tasks) < 60
    harness.endpoint.behave = lambda _: None
    counts += harness.run_for(2 * MINUTE_S)
    assert harness.written_by(goals) == {MODEL}
    assert {row["attempts"] for row in harness.rows(goals)} == {1}
    assert {row["provisional"] for row in harness.rows(goals)} == {False}
    assert sum(each.failed for each in counts) == 0


def test_a_text_for_the_time_being_is_replaced_and_told_as_another_change() -> None:
    """The highlight stays READY, and its cached pages are dropped."""
    harness = EndpointHarness()
    harness.endpoint.behave = away
    (goal,) = harness.goals("Messi")
    assert harness.run().provisional == 1

    async def changes(after: ChangeCursor | None) -> tuple[list[str], ChangeCursor]:
        page = await harness.store.read(after, {}, 10)
        return [str(change.cursor.id) for change in page.changes], page.cursor

    _, seen = asyncio.run(changes(None))
    harness.endpoint.behave = lambda _: None
    dropped = len(harness.cache.changed)
    (counts,) = (each for each in harness.run_for(MINUTE_S) if each.claimed)
    assert counts == EnrichmentCounts(claimed=1, ready=1, tokens=TOKENS)
    assert harness.written_by([goal]) == {MODEL}
    assert asyncio.run(changes(seen))[0] == [str(goal)]
    assert len(harness.cache.changed) == dropped + 1


def test_new_highlights_go_before_those_that_have_a_text_already() -> None:
    """Each in the order of its queue."""
    harness = EndpointHarness(ENRICH_CONCURRENCY="1")
    for player in ("old 1", "old 2"):
        harness.goals(player)
        asyncio.run(have_a_text_for_now(harness))
        harness.store.now += 1
    for player in ("new 1", "new 2"):
        harness.goals(player)
        harness.store.now += 1
    assert harness.run().ready == 4
    seen = [task.facts.player for task in harness.endpoint.tasks]
    assert seen == ["new 1", "new 2", "old 1", "old 2"]


async def have_a_text_for_now(harness: EndpointHarness) -> None:
    """Finish all pending highlights with a provisional text."""
    claims = await harness.store.claim(limit=10, lease_s=60)
    await harness.store.finish([(claim, enrichment(provisional=True)) for claim in claims])


@pytest.mark.parametrize("mode", ["template", "wait"])
def test_retry_after_is_obeyed_and_costs_no_attempt(mode: str) -> None:
    """Nobody calls before it is over, and the first call after it succeeds."""
    harness = EndpointHarness(ENRICH_WHILE_AWAY=mode)
    asked: list[float] = []

    def limited(_: EnrichmentTask) -> None:
        asked.append(harness.store.now)
        if harness.store.now < 100:
            raise EnricherUnavailable("429", 100 - harness.store.now)

    harness.endpoint.behave = limited
    goals = harness.goals("Messi")
    harness.run_for(100)
    assert asked == [0]
    assert harness.rows(goals)[0]["attempts"] == 0
    harness.run_for(30)
    assert harness.written_by(goals) == {MODEL}
    assert len(asked) == 2


def test_another_process_leaves_a_highlight_alone_for_the_pause_that_was_asked_for() -> None:
    """Though it has not been told of the pause itself."""
    harness = EndpointHarness(ENRICH_WHILE_AWAY="wait", ENRICH_BACKOFF_S="10")
    harness.endpoint.behave = lambda _: _raise(EnricherUnavailable("429", 30))
    harness.goals("Messi")
    harness.run()
    harness.worker = harness.start_worker()
    harness.run_for(30)
    assert len(harness.endpoint.tasks) == 1
    harness.run()
    assert len(harness.endpoint.tasks) == 2


def test_the_longest_wait_after_a_failed_attempt_doubles() -> None:
    """Up to a limit."""
    settings = EndpointHarness(ENRICH_BACKOFF_S="10").settings
    waits = [settings.backoff_s(attempts) for attempts in (1, 2, 3, 100)]
    assert waits == [10, 20, 40, LONGEST_BACKOFF_S]


@pytest.mark.parametrize("error", [EnricherUnavailable("500"), EnricherUnavailable("503", 0.0)])
@pytest.mark.parametrize("mode", ["template", "wait"])
def test_a_highlight_over_which_the_endpoint_always_fails_ends_with_the_template(
    mode: str, error: EnricherUnavailable
) -> None:
    """Though it answers all others: those are not kept waiting, and it is not called for ever."""
    harness = EndpointHarness(ENRICH_WHILE_AWAY=mode)
    harness.endpoint.behave = lambda task: _raise(error) if task.facts.player == "500" else None
    goals = harness.goals("500")
    counts = []
    for _ in range(20):
        goals += harness.goals("Messi")
        counts += harness.run_for(30)
    assert harness.written_by(goals[:1]) == {TEMPLATE}
    assert harness.written_by(goals[1:]) == {MODEL}
    assert sum(each.failed for each in counts) == 0
    calls = len(harness.endpoint.tasks)
    harness.run_for(10 * MINUTE_S)
    assert len(harness.endpoint.tasks) == calls


@pytest.mark.parametrize("mode", ["template", "wait"])
def test_a_highlight_whose_texts_are_refused_ends_though_the_limit_leaves_no_second_try(
    mode: str,
) -> None:
    """A try that was refused makes it an attempt that counts."""
    harness = EndpointHarness(
        ENRICH_WHILE_AWAY=mode, ENRICH_MAX_PER_MINUTE="1", ENRICH_MAX_ATTEMPTS="3"
    )
    harness.endpoint.title = "A rumour on {}"
    goals = harness.goals("Messi")
    harness.run_for(10 * MINUTE_S)
    assert harness.written_by(goals) == {TEMPLATE}
    assert not harness.rows(goals)[0]["provisional"]
    assert len(harness.endpoint.tasks) == {"template": 4, "wait": 3}[mode]


def test_an_error_that_nobody_expected_ends_with_the_template() -> None:
    """After all attempts, each after a longer wait at random."""
    harness = EndpointHarness(ENRICH_MAX_ATTEMPTS="3", ENRICH_BACKOFF_S="10")

    def crash(_: EnrichmentTask) -> None:
        raise KeyError("choices")

    harness.endpoint.behave = crash
    goals = harness.goals("Messi")
    waits = []
    for _ in range(3):
        harness.run()
        waits.append(harness.rows(goals)[0]["availableAt"] - harness.store.now)
        harness.store.now += max(0, waits[-1])
    assert harness.written_by(goals) == {TEMPLATE}
    assert (len(harness.endpoint.tasks), harness.rows(goals)[0]["provisional"]) == (3, False)
    assert 0 < waits[0] < 10
    assert 0 < waits[1] < 20


@pytest.mark.parametrize("mode", ["template", "wait"])
def test_the_calls_of_a_process_are_bounded(mode: str) -> None:
    """Within any minute; more highlights get the template's text for now, or wait."""
    harness = EndpointHarness(ENRICH_MAX_PER_MINUTE="5", ENRICH_WHILE_AWAY=mode)
    called_at: list[float] = []
    harness.endpoint.behave = lambda _: called_at.append(harness.store.now)
    goals = harness.goals(*["Messi"] * 20)
    counts = [harness.run()]
    if mode == "template":
        assert harness.written_by(goals) == {MODEL, TEMPLATE}
    counts += harness.run_for(4 * MINUTE_S)
    assert harness.written_by(goals) == {MODEL}
    assert len(called_at) == 20
    assert all(sum(at <= each < at + MINUTE_S for each in called_at) <= 5 for at in called_at)
    assert {row["attempts"] for row in harness.rows(goals)} == {1}
    assert sum(each.tokens for each in counts) == 20 * TOKENS


def test_no_call_outlives_its_deadline() -> None:
    """An attempt that is cut off has failed, so that the highlight ends too."""
    harness = EndpointHarness(
        ENRICH_TIME_BUDGET_S="0.05", ENRICH_DEADLINE_S="0.1", ENRICH_MAX_ATTEMPTS="2"
    )
    harness.endpoint.behave = hang
    goals = harness.goals("Messi", "Mbappé")
    began = time.monotonic()
    counts = harness.run()
    assert time.monotonic() - began < 2
    assert counts == EnrichmentCounts(claimed=2, postponed=2, remaining=2)
    assert {row["attempts"] for row in harness.rows(goals)} == {1}
    harness.store.now += MINUTE_S
    assert harness.run().ready == 2
    assert harness.written_by(goals) == {TEMPLATE}


def test_a_lease_is_prolonged_while_the_endpoint_works() -> None:
    """So that no other worker takes the highlight from one that is only slow."""
    harness = EndpointHarness(**IMPATIENT)
    prolong, prolonged = harness.store.prolong, asyncio.Event()
    until: list[float] = []

    async def observed(*arguments: Any, **named: Any) -> bool:
        harness.store.now += 0.1
        is_valid = await prolong(*arguments, **named)
        until.append(harness.store.rows[goals[0]]["leasedUntil"])
        prolonged.set()
        return is_valid

    harness.store.prolong = observed  # type: ignore[method-assign] # looks on, and lets time go by
    harness.endpoint.behave = lambda _: prolonged.wait()
    goals = harness.goals("Messi")
    assert harness.run().ready == 1
    assert until == [pytest.approx(0.4)]
    assert harness.written_by(goals) == {MODEL}


@pytest.mark.parametrize(
    ("revision", "status"),
    [({"retracted": True}, Status.RETRACTED), ({"player": "Di María"}, Status.PENDING_AI)],
)
def test_what_is_retracted_or_corrected_meanwhile_is_not_enriched_any_further(
    revision: dict[str, Any], status: Status
) -> None:
    """The call is given up; its text would be of facts that are no more."""
    harness = EndpointHarness(**IMPATIENT, ENRICH_TIME_BUDGET_S="0.01")
    cancelled: list[bool] = []

    async def revised_and_hanging() -> None:
        await revise(harness, **revision)
        try:
            await hang(EnrichmentTask(harness.endpoint.tasks[0].facts))
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    harness.endpoint.behave = lambda task: (
        revised_and_hanging() if task.facts.player == "Messi" else None
    )
    (goal,) = harness.goals("Messi")
    began = time.monotonic()
    harness.store.now += 1
    counts = harness.run()
    assert time.monotonic() - began < 2
    assert cancelled == [True]
    row = harness.store.rows[goal]
    if status is Status.RETRACTED:
        assert counts == EnrichmentCounts(claimed=1)
        assert (row["status"], row["title"]) == (status, None)
    else:
        assert row["title"] == "Model on Di María"


def test_a_corrected_highlight_does_not_show_its_old_text() -> None:
    """Nor who wrote it, nor anything else of it, and it awaits its new one like any other."""
    harness = EndpointHarness()
    harness.endpoint.behave = away
    (goal,) = harness.goals("Messi")
    harness.run()
    asyncio.run(revise(harness, player="Di María"))
    row = harness.store.rows[goal]
    assert row["status"] == Status.PENDING_AI
    texts = ("title", "summary", "texts", "enrichedBy", "refused", "thumbnailUrl")
    assert [row[name] for name in texts] == [None] * 6
    assert not row["provisional"]


def test_a_highlight_that_crashes_its_worker_takes_no_other_with_it() -> None:
    """It is tried alone until it has no attempts left; its neighbours lose one at most."""
    harness = EndpointHarness(ENRICH_MAX_ATTEMPTS="3", ENRICH_LEASE_S="30")
    beside: list[int] = []

    def behave(task: EnrichmentTask) -> None:
        if task.facts.player == "crash":
            beside.append(harness.endpoint.running - 1)
            raise SystemExit

    harness.endpoint.behave = behave
    goals = harness.goals("Messi", "crash", "Mbappé", "Di María")
    for _ in range(20):
        harness.worker = harness.start_worker()
        with suppress(SystemExit):
            harness.run()
        harness.store.now += 31
    assert beside[0] > 0
    assert beside[1:] == [0, 0]
    crashed, others = harness.rows(goals)[1], [goals[0], *goals[2:]]
    assert crashed["status"] == Status.FAILED_AI
    assert harness.written_by(others) == {MODEL}
    assert max(row["attempts"] for row in harness.rows(others)) <= 2


@pytest.mark.parametrize("mode", ["template", "wait"])
def test_what_may_have_crashed_a_worker_waits_for_the_endpoint_like_others(mode: str) -> None:
    """Or gets the template's text for now."""
    harness = EndpointHarness(ENRICH_WHILE_AWAY=mode)
    harness.endpoint.behave = away
    goals = harness.goals(*["Messi"] * 3)
    harness.run()
    crashed = harness.goals("Mbappé")
    asyncio.run(harness.store.claim(limit=9, lease_s=1))
    harness.store.now += 1
    harness.run_for(MINUTE_S)
    if mode == "template":
        assert harness.written_by(crashed) == {TEMPLATE}
    harness.endpoint.behave = lambda _: None
    harness.run_for(3 * MINUTE_S)
    assert harness.written_by([*goals, *crashed]) == {MODEL}


def test_a_second_process_finds_out_by_itself_that_the_endpoint_is_away() -> None:
    """And costs no attempt either."""
    harness = EndpointHarness(ENRICH_WHILE_AWAY="wait")
    harness.endpoint.behave = away
    goals = harness.goals(*["Messi"] * 6)
    for _ in range(10):
        harness.worker = harness.start_worker()
        harness.run_for(20)
    assert {row["status"] for row in harness.rows(goals)} == {Status.PENDING_AI}
    assert {row["attempts"] for row in harness.rows(goals)} == {0}
