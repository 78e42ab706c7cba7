"""What the running score tells about a goal."""

from enum import Enum, auto

from functions.shared.contract.team_names import Side


class GoalEffect(Enum):
    """What a goal did to the score, for the side that it counts for."""

    OPENS = auto()  # 1-0
    LEADS = auto()  # from level to one ahead, goals on both sides
    EQUALISES = auto()
    DOUBLES = auto()  # 2-0
    EXTENDS = auto()  # any other lead that grew
    REDUCES = auto()  # still behind


def goal_effects(home: int, away: int, side: Side | None) -> frozenset[GoalEffect]:
    """Return what a goal for `side` (None: for either) can have done if this is the score after it.

    Empty when no such goal leads to that score: the two contradict each other.
    """
    scored = {"home": (home, away), "away": (away, home)}
    sides = scored if side is None else (side,)
    return frozenset(_turn(*scored[each]) for each in sides if scored[each][0] > 0)


def _turn(scored: int, conceded: int) -> GoalEffect:
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
