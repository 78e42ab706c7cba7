"""The effect of a goal on the score."""

from enum import Enum, auto
from functools import lru_cache

from functions.shared.contract.event_types import GOAL_TYPES
from functions.shared.contract.highlight import Facts
from functions.shared.contract.team_names import Side

END_OF_EXTRA_TIME = 120  # minutes


class GoalEffect(Enum):
    """The effect of a goal, for the side that it counts for."""

    OPENS = auto()  # 1-0
    LEADS = auto()  # from a draw with goals to one ahead
    EQUALISES = auto()
    DOUBLES = auto()  # 2-0
    EXTENDS = auto()  # any other lead that grows
    REDUCES = auto()  # still behind


@lru_cache(maxsize=1024)
def goal_effects(home: int, away: int, side: Side | None) -> frozenset[GoalEffect]:
    """Return the possible effects of a goal for `side` after which this is the score.

    Of an unknown side (None) they are those of both sides. None is possible if no goal for that
    side leads to this score.
    """
    scored = {"home": (home, away), "away": (away, home)}
    sides = scored if side is None else (side,)
    return frozenset(_effect(*scored[each]) for each in sides if scored[each][0] > 0)


def certain_effect(facts: Facts) -> GoalEffect | None:
    """Return the effect of a goal, or None if it does not follow from normalized facts."""
    is_third_team = facts.team and not facts.side and facts.home_team and facts.away_team
    if facts.score is None or not _is_goal(facts) or is_third_team or score_is_doubtful(facts):
        return None
    possible = goal_effects(*facts.score, facts.side)
    return next(iter(possible)) if len(possible) == 1 else None


def score_is_doubtful(facts: Facts) -> bool:
    """Return whether the event may not have made its score: no goal of that side leads to it.

    Some feeds have the kicks of a shoot-out as penalties at 120+1, 120+2, ….
    """
    if facts.score is None or not _is_goal(facts):
        return False
    is_late = facts.minute is not None and facts.minute >= END_OF_EXTRA_TIME and facts.added_time
    may_be_kick = facts.event_type.casefold() == "penalty goal" and facts.period is None and is_late
    return bool(may_be_kick) or not goal_effects(*facts.score, facts.side)


def _is_goal(facts: Facts) -> bool:
    return facts.event_type.casefold().replace(" ", "_") in GOAL_TYPES


def _effect(scored: int, conceded: int) -> GoalEffect:
    match scored, scored - conceded:
        case 1, 1:
            return GoalEffect.OPENS
        case 2, 2:
            return GoalEffect.DOUBLES
        case _, 1:
            return GoalEffect.LEADS
        case _, 0:
            return GoalEffect.EQUALISES
        case _, lead:
            return GoalEffect.EXTENDS if lead > 0 else GoalEffect.REDUCES
