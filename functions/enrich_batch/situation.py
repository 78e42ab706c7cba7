"""The situation of an event, by which its phrases are chosen."""

from typing import Final, Literal, NamedTuple

from functions.enrich_batch.goal_effect import GoalEffect, certain_effect, score_is_doubtful
from functions.shared.contract.highlight import Facts

Setting = Literal["late", "added_time", "extra_time"]

LATE: Final = range(85, 91)  # minutes
KINDS: Final = frozenset({"goal", "penalty_goal", "own_goal", "shootout_goal", "shootout_miss"})
# Goals that a side has at least after its goal had this effect; it has 1 after any other.
FEWEST_GOALS: Final = {GoalEffect.LEADS: 2, GoalEffect.EXTENDS: 3}
ONCE_A_MATCH: Final = frozenset({GoalEffect.OPENS, GoalEffect.DOUBLES})
EXTRA_TIME: Final = ("extra_time_first", "extra_time_second")


class Situation(NamedTuple):
    """What the event's own fields prove; None is unknown, or nothing that a phrase is for."""

    kind: str  # the event's type, or "other"
    effect: GoalEffect | None
    setting: Setting | None
    shows_score: bool
    title_turn: int  # of the phrases that fit, modulo their number
    summary_turn: int

    @property
    def section(self) -> str:
        """The name of its phrases; those of a penalty are those of a goal."""
        return "goal" if self.kind == "penalty_goal" else self.kind


def situation_of(facts: Facts) -> Situation:
    """Return the situation that normalized facts prove."""
    kind = facts.event_type.casefold().replace(" ", "_")
    effect = certain_effect(facts)
    shows_score = effect is not None or not score_is_doubtful(facts)
    summary_turn = _summary_turn(facts, shows_score=shows_score)
    return Situation(
        kind if kind in KINDS else "other",
        effect,
        _setting(facts),
        shows_score,
        _title_turn(facts, effect, summary_turn),
        summary_turn,
    )


def _title_turn(facts: Facts, effect: GoalEffect | None, summary_turn: int) -> int:
    """Return the number by which a title's phrase is chosen, of those for the same effect.

    No two goals of a match with the same effect leave their sides with the same number of goals.
    """
    if effect is None or facts.score is None:
        return summary_turn
    if effect in ONCE_A_MATCH:
        return facts.minute or 0
    home, away = facts.score
    goals = {"home": home, "away": away, None: max(home, away)}[facts.side]
    return goals - FEWEST_GOALS.get(effect, 1)


def _summary_turn(facts: Facts, *, shows_score: bool) -> int:
    """Return the number by which a summary's phrase is chosen: that of the goal in its match."""
    if facts.shootout_score is not None:
        return _kick_turn(facts, sum(facts.shootout_score))
    if facts.score is not None and shows_score:
        return sum(facts.score) - 1
    return facts.minute or 0


def _kick_turn(facts: Facts, scored: int) -> int:
    """Return the number of a kick among those that score, or that miss if the clock counts kicks.

    A miss leaves the score as it is, so without such a clock the sides have to tell two in a row.
    """
    if "miss" not in facts.event_type.casefold():
        return scored - 1
    return facts.added_time - scored - 1 if facts.added_time else scored + (facts.side == "away")


def _setting(facts: Facts) -> Setting | None:
    """Return the most exact one. Whether a goal wins the match no field of its event can prove."""
    if facts.period in EXTRA_TIME:
        return "extra_time"
    if facts.minute is None:
        return None
    if facts.added_time:
        return "added_time"
    return "late" if facts.minute in LATE and facts.period != "first_half" else None
