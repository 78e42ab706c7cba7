"""The match clock: the time from kick-off to each goal."""

from collections.abc import Iterable
from datetime import timedelta

from local.replay.openfootball import Goal

# The last minute of each period, and the minutes of the break after it.
PERIODS = ((45, 15), (90, 5), (105, 1), (150, 0))
FULL_TIME = 90
ONE_SECOND = timedelta(seconds=1)


def timeline(goals: Iterable[Goal]) -> list[tuple[timedelta, Goal]]:
    """Return the goals in the order of the match, each with its time since kick-off.

    A period lasts until its latest goal, with stoppage time, so that no goal of the second half
    comes before 45+7. Goals of one minute are a second apart, the home side's first, since no file
    has their order. A goal without a minute comes last.
    """
    goals = list(goals)
    minutes = _minutes_since_kick_off({goal for goal in goals if goal.minute is not None})
    last = max([*minutes.values(), FULL_TIME + PERIODS[0][1]])
    ordered = sorted(goals, key=lambda goal: (minutes.get(goal, last), goal.minute is None))
    return _one_second_apart(
        [(timedelta(minutes=minutes.get(goal, last)), goal) for goal in ordered]
    )


def _minutes_since_kick_off(goals: set[Goal]) -> dict[Goal, int]:
    minutes: dict[Goal, int] = {}
    start, before = 0, -1
    for last, pause in PERIODS:
        first = max(before, 0)
        period = {
            goal: start + goal.minute - first + (goal.added_time or 0)
            for goal in goals
            if goal.minute is not None and before < goal.minute <= last
        }
        minutes |= period
        start = max([start + last - first, *period.values()]) + pause
        before = last
    return minutes


def _one_second_apart(ordered: list[tuple[timedelta, Goal]]) -> list[tuple[timedelta, Goal]]:
    apart: list[tuple[timedelta, Goal]] = []
    for time, goal in ordered:
        earliest = apart[-1][0] + ONE_SECOND if apart else time
        apart.append((max(time, earliest), goal))
    return apart
