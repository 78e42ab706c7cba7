"""What the running score tells about a goal."""

from enum import Enum, auto

from functions.shared.names import Side


class Turn(Enum):
    """What a goal did to the score, for the side that it counts for."""

    OPENS = auto()  # 1-0
    LEADS = auto()  # from level to one ahead, goals on both sides
    EQUALISES = auto()
    DOUBLES = auto()  # 2-0
    EXTENDS = auto()  # any other lead that grew
    REDUCES = auto()  # still behind


def turns(home: int, away: int, side: Side | None) -> frozenset[Turn]:
    """Return what a goal for `side` (None: for either) can have done if this is the score after it.

    Empty when no such goal leads to that score: the two contradict each other.
    """
    scored = {"home": (home, away), "away": (away, home)}
    sides = scored if side is None else (side,)
    return frozenset(_turn(*scored[each]) for each in sides if scored[each][0] > 0)


def _turn(scored: int, conceded: int) -> Turn:
    match scored, scored - conceded:
        case 1, 1:
            return Turn.OPENS
        case 2, 2:
            return Turn.DOUBLES
        case _, 1:
            return Turn.LEADS
        case _, 0:
            return Turn.EQUALISES
        case _, lead:
            return Turn.EXTENDS if lead > 0 else Turn.REDUCES
