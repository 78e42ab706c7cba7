from collections.abc import Callable
from itertools import product

import pytest

from functions.enrich_batch.score import Turn, turns

Goals = tuple[int, int]
SCORES = list(product(range(7), repeat=2))

# What each turn says about the goals of (the side that scored, the other), before it and after it.
CLAIMS: dict[Turn, Callable[[Goals, Goals], bool]] = {
    Turn.OPENS: lambda before, _: before == (0, 0),
    Turn.LEADS: lambda before, _: before[0] == before[1] > 0,
    Turn.EQUALISES: lambda before, after: before[0] < before[1] and after[0] == after[1],
    Turn.DOUBLES: lambda before, after: (before, after) == ((1, 0), (2, 0)),
    Turn.EXTENDS: lambda before, _: before[0] > before[1] and before != (1, 0),
    Turn.REDUCES: lambda before, after: before[0] < before[1] and after[0] < after[1],
}


@pytest.mark.parametrize(("scored", "conceded"), SCORES)
def test_a_turn_is_what_the_score_before_the_goal_says(scored: int, conceded: int) -> None:
    """Taking the goal back off the score proves the one claim that is made, and no other."""
    before, after = (scored - 1, conceded), (scored, conceded)
    true = {turn for turn, claim in CLAIMS.items() if scored and claim(before, after)}

    assert turns(scored, conceded, "home") == true
    assert turns(conceded, scored, "away") == true
    assert len(true) == (1 if scored else 0)


@pytest.mark.parametrize(("home", "away"), SCORES)
def test_without_a_side_either_may_have_scored(home: int, away: int) -> None:
    """A goal of an unknown side may be whatever it is for one side or for the other."""
    assert turns(home, away, None) == turns(home, away, "home") | turns(home, away, "away")


@pytest.mark.parametrize(
    ("home", "away", "turn"),
    [(1, 0, Turn.OPENS), (0, 2, Turn.DOUBLES), (3, 3, Turn.EQUALISES), (0, 4, Turn.EXTENDS)],
)
def test_some_scores_tell_without_a_side(home: int, away: int, turn: Turn) -> None:
    """Only one side can have made these scores, or both would have done the same."""
    assert turns(home, away, None) == {turn}


def test_no_goal_leaves_the_score_at_nil_nil() -> None:
    """A goal and 0-0 contradict each other, whoever scored."""
    assert turns(0, 0, None) == frozenset()
