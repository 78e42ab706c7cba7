"""The situation of an event, by which its phrases are chosen."""

from typing import Final, Literal, NamedTuple

from functions.enrich_batch.goal_effect import GoalEffect, certain_effect, score_is_doubtful
from functions.shared.contract.highlight import Facts

Setting = Literal["late", "added_time", "extra_time"]

LATE: Final = range(85, 91)  # minutes
KINDS: Final = frozenset({"goal", "penalty_goal", "own_goal", "shootout_goal", "shootout_miss"})
# That a side has after its goal had this effect; 1 after any other.
FEWEST_GOALS: Final = {GoalEffect.LEADS: 2, GoalEffect.DOUBLES: 2, GoalEffect.EXTENDS: 3}
EXTRA_TIME: Final = ("extra_time_first", "extra_time_second")


class Situation(NamedTuple):
    """What the event's own fields prove; None is unknown, or nothing that a phrase is for."""

    kind: str  # the event's type, or "other"
    effect: GoalEffect | None
    setting: Setting | None
    shows_score: bool
    turn: int  # of the phrases that fit

    @property
    def section(self) -> str:
        """The name of its phrases; those of a penalty are those of a goal."""
        return "goal" if self.kind == "penalty_goal" else self.kind


def situation_of(facts: Facts) -> Situation:
    """Return the situation that normalized facts prove."""
    kind = facts.event_type.casefold().replace(" ", "_")
    effect = certain_effect(facts)
    return Situation(
        kind if kind in KINDS else "other",
        effect,
        _setting(facts),
        shows_score=effect is not None or not score_is_doubtful(facts),
        turn=_turn(facts, effect),
    )


def _turn(facts: Facts, effect: GoalEffect | None) -> int:
    """Return the number by which a phrase is chosen among those for the same situation.

    No two goals of a match with the same effect leave their sides with the same number of goals.
    """
    if effect is not None and facts.score is not None:
        home, away = facts.score
        goals = {"home": home, "away": away, None: max(home, away)}[facts.side]
        return goals - FEWEST_GOALS.get(effect, 1)
    if facts.shootout_score is not None:
        return sum(facts.shootout_score) + (facts.side == "away")
    return facts.minute or 0


def _setting(facts: Facts) -> Setting | None:
    """Return the most exact one. Whether a goal wins the match no field of its event can prove."""
    if facts.period in EXTRA_TIME:
        return "extra_time"
    if facts.minute is None:
        return None
    if facts.added_time:
        return "added_time"
    return "late" if facts.minute in LATE and facts.period != "first_half" else None
