from collections.abc import Callable
from itertools import product

import pytest

from functions.enrich_batch.goal_effect import GoalEffect, goal_effects

Goals = tuple[int, int]
SCORES = list(product(range(7), repeat=2))

# The condition of each effect on the goals of (the scoring side, the other), before and after.
CLAIMS: dict[GoalEffect, Callable[[Goals, Goals], bool]] = {
    GoalEffect.OPENS: lambda before, _: before == (0, 0),
    GoalEffect.LEADS: lambda before, _: before[0] == before[1] > 0,
    GoalEffect.EQUALISES: lambda before, after: before[0] < before[1] and after[0] == after[1],
    GoalEffect.DOUBLES: lambda before, after: (before, after) == ((1, 0), (2, 0)),
    GoalEffect.EXTENDS: lambda before, _: before[0] > before[1] and before != (1, 0),
    GoalEffect.REDUCES: lambda before, after: before[0] < before[1] and after[0] < after[1],
}


@pytest.mark.parametrize(("scored", "conceded"), SCORES)
def test_an_effect_is_true_of_the_scores_before_and_after_the_goal(
    scored: int, conceded: int
) -> None:
    """Taking the goal off the score proves the one effect that is named, and no other."""
    before, after = (scored - 1, conceded), (scored, conceded)
    true = {effect for effect, claim in CLAIMS.items() if scored and claim(before, after)}

    assert goal_effects(scored, conceded, "home") == true
    assert goal_effects(conceded, scored, "away") == true
    assert len(true) == (1 if scored else 0)


@pytest.mark.parametrize(("home", "away"), SCORES)
def test_without_a_side_the_effects_of_both_sides_are_possible(home: int, away: int) -> None:
    """A goal of an unknown side may have the effect for one side or that for the other."""
    assert goal_effects(home, away, None) == goal_effects(home, away, "home") | goal_effects(
        home, away, "away"
    )


@pytest.mark.parametrize(
    ("home", "away", "effect"),
    [
        (1, 0, GoalEffect.OPENS),
        (0, 2, GoalEffect.DOUBLES),
        (3, 3, GoalEffect.EQUALISES),
        (0, 4, GoalEffect.EXTENDS),
    ],
)
def test_some_scores_allow_one_effect_even_without_a_side(
    home: int, away: int, effect: GoalEffect
) -> None:
    """Only one side can have made these scores, or both would have the same effect."""
    assert goal_effects(home, away, None) == {effect}


def test_no_goal_leaves_the_score_at_nil_nil() -> None:
    """A goal and 0-0 contradict each other, whichever side scored."""
    assert goal_effects(0, 0, None) == frozenset()
