"""The effect of a goal on the score."""

from enum import Enum, auto

from functions.shared.contract.team_names import Side


class GoalEffect(Enum):
    """The effect of a goal, for the side that it counts for."""

    OPENS = auto()  # 1-0
    LEADS = auto()  # from a draw with goals to one ahead
    EQUALISES = auto()
    DOUBLES = auto()  # 2-0
    EXTENDS = auto()  # any other lead that grows
    REDUCES = auto()  # still behind


def goal_effects(home: int, away: int, side: Side | None) -> frozenset[GoalEffect]:
    """Return the possible effects of a goal for `side` after which this is the score.

    Of an unknown side (None) they are those of both sides. None is possible if no goal for that
    side leads to this score.
    """
    scored = {"home": (home, away), "away": (away, home)}
    sides = scored if side is None else (side,)
    return frozenset(_effect(*scored[each]) for each in sides if scored[each][0] > 0)


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
