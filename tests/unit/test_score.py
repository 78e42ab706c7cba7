from collections.abc import Callable
from itertools import product

import pytest

from functions.enrich_batch.score import GoalEffect, goal_effects

Goals = tuple[int, int]
SCORES = list(product(range(7), repeat=2))

# What each turn says about the goals of (the side that scored, the other), before it and after it.
CLAIMS: dict[GoalEffect, Callable[[Goals, Goals], bool]] = {
    GoalEffect.OPENS: lambda before, _: before == (0, 0),
    GoalEffect.LEADS: lambda before, _: before[0] == before[1] > 0,
    GoalEffect.EQUALISES: lambda before, after: before[0] < before[1] and after[0] == after[1],
    GoalEffect.DOUBLES: lambda before, after: (before, after) == ((1, 0), (2, 0)),
    GoalEffect.EXTENDS: lambda before, _: before[0] > before[1] and before != (1, 0),
    GoalEffect.REDUCES: lambda before, after: before[0] < before[1] and after[0] < after[1],
}


@pytest.mark.parametrize(("scored", "conceded"), SCORES)
def test_a_turn_is_what_the_score_before_the_goal_says(scored: int, conceded: int) -> None:
    """Taking the goal back off the score proves the one claim that is made, and no other."""
    before, after = (scored - 1, conceded), (scored, conceded)
    true = {turn for turn, claim in CLAIMS.items() if scored and claim(before, after)}

    assert goal_effects(scored, conceded, "home") == true
    assert goal_effects(conceded, scored, "away") == true
    assert len(true) == (1 if scored else 0)


@pytest.mark.parametrize(("home", "away"), SCORES)
def test_without_a_side_either_may_have_scored(home: int, away: int) -> None:
    """A goal of an unknown side may be whatever it is for one side or for the other."""
    assert goal_effects(home, away, None) == goal_effects(home, away, "home") | goal_effects(
        home, away, "away"
    )


@pytest.mark.parametrize(
    ("home", "away", "turn"),
    [
        (1, 0, GoalEffect.OPENS),
        (0, 2, GoalEffect.DOUBLES),
        (3, 3, GoalEffect.EQUALISES),
        (0, 4, GoalEffect.EXTENDS),
    ],
)
def test_some_scores_tell_without_a_side(home: int, away: int, turn: GoalEffect) -> None:
    """Only one side can have made these scores, or both would have done the same."""
    assert goal_effects(home, away, None) == {turn}


def test_no_goal_leaves_the_score_at_nil_nil() -> None:
    """A goal and 0-0 contradict each other, whoever scored."""
    assert goal_effects(0, 0, None) == frozenset()
