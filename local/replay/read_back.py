"""Reads the highlights of goals: while they are posted, and until all are READY, with a limit."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from local.replay.highlights_client import Highlights, UnreadError
from local.replay.report import READY, Report

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
FOLLOW_PAUSE = 0.25
SETTLED = frozenset({READY, "FAILED_AI"})


async def follow(
    highlights: Highlights, report: Report, on_ready: Callable[[int, int], object]
) -> None:
    """Tell how many highlights are READY while goals are still posted, until it is cancelled.

    Whatever clock the matches go by, this is for who watches; the report is left to `read_back`.
    """
    ready: set[UUID] = set()
    while True:
        await asyncio.sleep(FOLLOW_PAUSE)
        awaited = {goal.match_id for goal, id_ in report.accepted.items() if id_ not in ready}
        found = await asyncio.gather(*(_ready_of_match(highlights, id_) for id_ in awaited))
        news = set().union(*found) & set(report.accepted.values()) - ready
        if news:
            ready |= news
            on_ready(len(ready), len(report.goals))


async def _ready_of_match(highlights: Highlights, match_id: UUID) -> set[UUID]:
    try:
        found = await highlights.of_match(match_id)
    except UnreadError:
        return set()
    return {highlight.id for highlight in found if highlight.status == READY}


async def read_back(
    highlights: Highlights,
    report: Report,
    *,
    wait: float,
    on_ready: Callable[[int, int], object],
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[object]],
) -> None:
    """Read the lists of the matches until all goals are settled there or `wait` seconds are over.

    What then is not READY is asked for by its id, so that the report can say what it is instead.
    """
    began, pause = clock(), FIRST_PAUSE
    await _read_lists(highlights, report)
    on_ready(report.ready, len(report.accepted))
    while _unsettled(report) and (left := began + wait - clock()) > 0:
        await sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE)
        await _read_lists(highlights, report)
        on_ready(report.ready, len(report.accepted))
    report.read_for = clock() - began
    await asyncio.gather(*(_explain(highlights, report, id_) for id_ in _not_ready(report)))


async def _read_lists(highlights: Highlights, report: Report) -> None:
    await asyncio.gather(*(_read_list(highlights, report, id_) for id_ in _unsettled(report)))


async def _read_list(highlights: Highlights, report: Report, match_id: UUID) -> None:
    try:
        found = await highlights.of_match(match_id)
    except UnreadError:
        return  # the next reading may succeed; after the last one each is asked for by its id
    report.statuses |= {highlight.id: highlight.status for highlight in found}
    report.unexplained |= {highlight.id for highlight in found} - set(report.accepted.values())


async def _explain(highlights: Highlights, report: Report, highlight_id: UUID) -> None:
    try:
        status = await highlights.status(highlight_id)
    except UnreadError as error:
        status = f"could not be read: {error}"
    report.statuses[highlight_id] = "READY, but not in the list" if status == READY else status


def _unsettled(report: Report) -> set[UUID]:
    """Return the matches that have a goal whose highlight may still become READY."""
    return {
        goal.match_id
        for goal, id_ in report.accepted.items()
        if report.statuses.get(id_) not in SETTLED
    }


def _not_ready(report: Report) -> list[UUID]:
    return [id_ for id_ in report.accepted.values() if report.statuses.get(id_) != READY]
