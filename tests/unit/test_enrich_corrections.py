"""Corrections: an old text that is true of the new facts is shown until there is a new one."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import pytest

from functions.consume_goal.revisions import revision_of
from functions.enrich_batch.enricher import EnricherUnavailable, EnrichmentTask, Refusal, Style
from functions.enrich_batch.guard import check
from functions.enrich_batch.queue.results import EnrichmentCounts
from functions.shared.contract.highlight import Enrichment, Facts, HighlightText, Status
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.highlights import ChangedHighlight, Correction
from tests.support.builders.events import MATCH, identified
from tests.support.builders.revisions import RULES
from tests.support.fakes.endpoint import TOKENS, EndpointHarness

SHOWN = ("title", "summary", "texts", "enrichedBy")
OLD = ("Messi scores", "A goal.", {"en": {"title": "Messi scores", "summary": "A goal."}})


def enriched(count: int = 1, **settings: str) -> tuple[EndpointHarness, list[UUID]]:
    """Goals whose text by the model names the player alone, with the real guard."""
    harness = EndpointHarness(**settings)
    harness.guard = check
    harness.worker = harness.start_worker()
    harness.endpoint.title = "{} scores"
    goals = harness.goals(*["Messi"] * count)
    harness.run()
    assert [shown(harness, goal) for goal in goals] == [(*OLD, "model:fake")] * count
    harness.endpoint.tasks.clear()
    return harness, goals


async def revise(harness: EndpointHarness, number: int = 0, **event: Any) -> None:
    """Record another revision of one of the goals."""
    event = {"eventId": f"{number}", "player": "Messi", "revision": 1, **event}
    nothing = ReceivedRecord(None, None, None)
    await harness.store.record([revision_of(identified(**event), nothing, RULES)])


def shown(harness: EndpointHarness, goal: UUID) -> tuple[Any, ...]:
    """The title, the summary, all texts, and who wrote them."""
    return tuple(harness.store.rows[goal][name] for name in SHOWN)


def test_a_text_that_is_still_true_is_shown_before_the_endpoint_is_asked() -> None:
    """Of every corrected highlight, though the endpoint answers one after the other."""
    harness, goals = enriched(3, ENRICH_CONCURRENCY="1")
    for number in range(3):
        asyncio.run(revise(harness, number, minute=23))
    assert {shown(harness, goal) for goal in goals} == {(None,) * 4}
    at_first_call: list[Any] = []
    harness.endpoint.title = "{} scores in the 23rd minute"
    harness.endpoint.behave = lambda _: at_first_call.extend(
        at_first_call
        or [(harness.store.rows[goal]["status"], shown(harness, goal)) for goal in goals]
    )
    assert harness.run() == EnrichmentCounts(claimed=3, ready=3, tokens=3 * TOKENS)
    assert at_first_call[:3] == [(Status.PENDING_AI, (*OLD, "model:fake"))] * 3
    assert {row["title"] for row in harness.rows(goals)} == {"Messi scores in the 23rd minute"}


@pytest.mark.parametrize("correction", [{"player": "Di María"}, {"eventType": "own_goal"}])
def test_a_text_that_is_no_longer_true_is_not_shown(correction: dict[str, Any]) -> None:
    """It is forgotten, so that it is not checked again."""
    harness, (goal,) = enriched()
    asyncio.run(revise(harness, **correction))
    during: list[Any] = []
    harness.endpoint.behave = lambda _: during.append(shown(harness, goal))
    harness.run()
    assert during[:1] == [(None,) * 4]
    assert harness.store.rows[goal]["former"] is None


def away(_: EnrichmentTask) -> None:
    """Fail as an endpoint that is not there."""
    raise EnricherUnavailable("connection refused")


def test_a_text_that_is_still_true_is_shown_while_the_endpoint_is_away() -> None:
    """Where new highlights wait for it; readers of the feed and of cached pages see it at once."""
    harness, (goal,) = enriched(ENRICH_WHILE_AWAY="wait")
    harness.endpoint.behave = away
    harness.goals(*["Mbappé"] * 3)
    harness.run_for(60)
    asyncio.run(revise(harness, minute=23))
    calls, before = len(harness.endpoint.tasks), harness.store.now_in_feed
    harness.cache.changed.clear()
    harness.run()
    assert len(harness.endpoint.tasks) == calls
    row = harness.store.rows[goal]
    assert (row["status"], row["attempts"], row["lease"]) == (Status.PENDING_AI, 0, None)
    assert shown(harness, goal) == (*OLD, "model:fake")
    page = asyncio.run(harness.store.read(before, {}, 10))
    assert [change.cursor.id for change in page.changes] == [goal]
    assert harness.cache.changed == [{MATCH}]


def test_a_corrected_highlight_gets_the_text_of_the_template_for_the_time_being() -> None:
    """While the endpoint is away, as new ones do by default: at once, and by one change."""
    harness, (goal,) = enriched()
    harness.endpoint.behave = away
    harness.goals(*["Mbappé"] * 3)
    harness.run()
    asyncio.run(revise(harness, minute=23))
    harness.cache.changed.clear()
    harness.run()
    assert shown(harness, goal)[3] == "template"
    assert harness.cache.changed == [{MATCH}]


def test_a_correction_during_a_long_call_is_looked_at_before_the_next_one() -> None:
    """Though others are to be enriched before it."""
    harness, (goal,) = enriched(ENRICH_CONCURRENCY="1")
    harness.goals("Mbappé", "Di María")
    at_calls: list[Any] = []

    async def correct_during_the_first_call() -> None:
        at_calls.append(shown(harness, goal))
        if len(at_calls) == 1:
            harness.store.now += 1
            await revise(harness, minute=23)

    harness.endpoint.behave = lambda _: correct_during_the_first_call()
    assert harness.run().ready == 3
    assert at_calls == [(*OLD, "model:fake")] * 3


@pytest.mark.parametrize(
    ("meanwhile", "status"),
    [
        ({"retracted": True, "revision": 1}, Status.RETRACTED),
        ({"retracted": True, "revision": 2}, Status.RETRACTED),
        ({"player": "Di María", "revision": 2}, Status.PENDING_AI),
    ],
)
def test_what_is_retracted_or_corrected_during_the_check_does_not_show_the_old_text(
    meanwhile: dict[str, Any], status: Status
) -> None:
    """The check was of facts that are no more."""
    harness, (goal,) = enriched(ENRICH_WHILE_AWAY="wait")
    harness.endpoint.behave = away
    settle, statuses = harness.store.settle, list[Status]()

    async def overtaken(
        corrections: Iterable[tuple[Correction, Enrichment | None]],
    ) -> Sequence[ChangedHighlight]:
        if not statuses:
            await revise(harness, **{"minute": 23, **meanwhile})
        changed = await settle(corrections)
        statuses.append(harness.store.rows[goal]["status"])
        assert shown(harness, goal) == (None,) * 4
        return changed

    harness.store.settle = overtaken  # type: ignore[method-assign, assignment]
    asyncio.run(revise(harness, minute=23))
    harness.run_for(30)
    assert statuses[0] == status
    assert shown(harness, goal) == (None,) * 4


def test_a_retracted_highlight_has_no_former_text_when_it_stands_again() -> None:
    """It awaits its text like a new one."""
    harness, (goal,) = enriched(ENRICH_WHILE_AWAY="wait")
    harness.endpoint.behave = away
    for revision in ({"minute": 23}, {"retracted": True, "revision": 2}, {"revision": 3}):
        asyncio.run(revise(harness, **revision))
    harness.run()
    row = harness.store.rows[goal]
    assert (row["status"], row["title"]) == (Status.PENDING_AI, None)


def test_a_second_correction_may_still_leave_the_old_text_true() -> None:
    """Whether the first one has been looked at or not; it is checked against the newest facts."""
    harness, (goal,) = enriched(ENRICH_WHILE_AWAY="wait")
    harness.endpoint.behave = away
    asyncio.run(revise(harness, minute=22))
    asyncio.run(revise(harness, minute=23, revision=2))
    harness.run()
    assert shown(harness, goal) == (*OLD, "model:fake")
    asyncio.run(revise(harness, minute=24, revision=3))
    assert shown(harness, goal) == (None,) * 4
    harness.run()
    assert shown(harness, goal) == (*OLD, "model:fake")


def test_a_check_that_crashes_leaves_the_others_to_be_checked() -> None:
    """That text is not shown, as nothing tells whether it is true."""
    harness, goals = enriched(2, ENRICH_WHILE_AWAY="wait")
    harness.endpoint.behave = away

    def guard(
        text: HighlightText, facts: Facts, language: str, style: Style, *, allow_description: bool
    ) -> list[Refusal]:
        del text, language, style, allow_description
        return [Refusal("minute", "1 / 0")] if 1 / (facts.minute or 0) < 0 else []

    harness.guard = guard
    harness.worker = harness.start_worker()
    for number in range(2):
        asyncio.run(revise(harness, number, minute=number))
    harness.run()
    assert [row["title"] for row in harness.rows(goals)] == [None, "Messi scores"]
