"""Polls highlights: while goals are posted, and then until all are READY, with a time limit."""

import asyncio
from uuid import UUID

from local.replay.highlights_client import HighlightsClient, HighlightsReadError
from local.replay.posting import Clock
from local.replay.progress import Listener
from local.replay.report import READY, Report

INITIAL_DELAY_S, MAX_DELAY_S = 0.05, 1.0
PROGRESS_INTERVAL_S = 0.25
FINAL_STATUSES = frozenset({READY, "FAILED_AI"})


async def report_progress(highlights: HighlightsClient, report: Report, listener: Listener) -> None:
    """Tell `listener` how many highlights are READY while goals are posted, until cancelled.

    It runs in real time, whatever the match clock is, and leaves the report to `wait_until_ready`.
    """
    ready: set[UUID] = set()
    while True:
        await asyncio.sleep(PROGRESS_INTERVAL_S)
        matches = {goal.match_id for goal, id_ in report.accepted.items() if id_ not in ready}
        found = await asyncio.gather(*(_ready_of_match(highlights, id_) for id_ in matches))
        newly_ready = set().union(*found) & set(report.accepted.values()) - ready
        if newly_ready:
            ready |= newly_ready
            listener.ready(len(ready), len(report.goals))


async def _ready_of_match(highlights: HighlightsClient, match_id: UUID) -> set[UUID]:
    try:
        found = await highlights.of_match(match_id)
    except HighlightsReadError:
        return set()
    return {highlight.id for highlight in found if highlight.status == READY}


async def wait_until_ready(
    highlights: HighlightsClient, report: Report, wait_s: float, listener: Listener, clock: Clock
) -> None:
    """Poll the lists of the matches until no status will change, or `wait_s` seconds are over.

    Then read each highlight that is not READY by its id, so that the report has its status.
    """
    began, delay_s = clock.monotonic(), INITIAL_DELAY_S
    await _read_lists(highlights, report)
    listener.ready(report.ready, len(report.accepted))
    while _unfinished(report) and (left_s := began + wait_s - clock.monotonic()) > 0:
        await clock.sleep(min(delay_s, left_s))
        delay_s = min(2 * delay_s, MAX_DELAY_S)
        await _read_lists(highlights, report)
        listener.ready(report.ready, len(report.accepted))
    report.polled_s = clock.monotonic() - began
    await asyncio.gather(*(_read_one(highlights, report, id_) for id_ in _not_ready(report)))


async def _read_lists(highlights: HighlightsClient, report: Report) -> None:
    await asyncio.gather(*(_read_list(highlights, report, id_) for id_ in _unfinished(report)))


async def _read_list(highlights: HighlightsClient, report: Report, match_id: UUID) -> None:
    try:
        found = await highlights.of_match(match_id)
    except HighlightsReadError:
        return  # the next poll may succeed; after the last one each is read by its id
    report.statuses |= {highlight.id: highlight.status for highlight in found}
    report.unexpected |= {highlight.id for highlight in found} - set(report.accepted.values())


async def _read_one(highlights: HighlightsClient, report: Report, highlight_id: UUID) -> None:
    try:
        status = await highlights.status(highlight_id)
    except HighlightsReadError as error:
        status = f"could not be read: {error}"
    report.statuses[highlight_id] = "READY, but not in the list" if status == READY else status


def _unfinished(report: Report) -> set[UUID]:
    """Return the matches with a goal whose highlight may still become READY."""
    return {
        goal.match_id
        for goal, id_ in report.accepted.items()
        if report.statuses.get(id_) not in FINAL_STATUSES
    }


def _not_ready(report: Report) -> list[UUID]:
    return [id_ for id_ in report.accepted.values() if report.statuses.get(id_) != READY]
