"""The phrases of titles and summaries, by the type of the event."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from functions.enrich_batch.goal_effect import GoalEffect

# Of each row the first phrase of which all {words} are known is used. {side} is the side that the
# goal counts for, {unlisted} the same where the score does not name the teams.
PLAYER_EFFECTS = {
    GoalEffect.OPENS: ("opens the scoring for {unlisted}", "opens the scoring"),
    GoalEffect.LEADS: ("puts {side} ahead",),
    GoalEffect.EQUALISES: ("equalises for {side}", "equalises"),
    GoalEffect.DOUBLES: ("doubles the lead for {unlisted}", "doubles the lead"),
    GoalEffect.EXTENDS: ("extends the lead for {unlisted}", "extends the lead"),
    GoalEffect.REDUCES: ("pulls one back for {unlisted}", "pulls one back"),
}
GOAL_EFFECTS = {
    GoalEffect.OPENS: ("puts {side} ahead", "opens the scoring"),
    GoalEffect.LEADS: ("puts {side} ahead",),
    GoalEffect.EQUALISES: ("brings {side} level", "levels the score"),
    GoalEffect.DOUBLES: ("doubles the lead for {side}", "doubles the lead"),
    GoalEffect.EXTENDS: ("extends the lead for {side}", "extends the lead"),
    GoalEffect.REDUCES: ("pulls one back for {side}", "pulls one back"),
}


class Phrasing(NamedTuple):
    """The phrasing of a type of event: of each row, the pieces of which all {words} are known."""

    effects: Mapping[GoalEffect, Sequence[str]]
    title_with_effect: Sequence[str]  # if the score tells the effect of the goal
    title: Sequence[str]  # if it does not
    summary: Sequence[str]  # before the event's own description


SCORE_AND_CLOCK = (": {score}", ", {clock}")
GOAL_BY_PLAYER = Phrasing(
    PLAYER_EFFECTS,
    ("{player} {effect}", *SCORE_AND_CLOCK),
    ("{label} ", "GOAL by {player}", *SCORE_AND_CLOCK),
    (
        "{player} scores", " for {side}", " {when}", " to make it {score}",
        ", assisted by {assist}",
    ),
)  # fmt: skip
PENALTY_GOAL_BY_PLAYER = Phrasing(
    PLAYER_EFFECTS,
    ("{player} {effect} from the penalty spot", *SCORE_AND_CLOCK),
    ("{label} ", "GOAL by {player} from the penalty spot", *SCORE_AND_CLOCK),
    ("{player} scores", " for {side}", " from the penalty spot", " {when}", " to make it {score}"),
)
GOAL = Phrasing(
    GOAL_EFFECTS,
    ("Goal {effect}", *SCORE_AND_CLOCK),
    ("{label} ", "GOAL", *SCORE_AND_CLOCK),
    ("A goal", " for {side}", " {when}", ": {score}", ", assisted by {assist}"),
)
PENALTY_GOAL = Phrasing(
    GOAL_EFFECTS,
    ("Penalty goal {effect}", *SCORE_AND_CLOCK),
    ("{label} ", "GOAL from the penalty spot", *SCORE_AND_CLOCK),
    ("A penalty goal", " for {side}", " {when}", ": {score}"),
)
OWN_GOAL = Phrasing(
    GOAL_EFFECTS,
    ("Own goal", " by {player}", " {effect}", *SCORE_AND_CLOCK),
    ("Own goal", " by {player}", " counts for {side}", *SCORE_AND_CLOCK),
    ("An own goal", " by {player}", " {when}", " counts for {side}", ": {score}"),
)
# A shoot-out has a score of its own, and its goals do not count in the match.
SHOOTOUT_GOAL_BY_PLAYER = Phrasing(
    {},
    (),
    ("{player} scores in the shoot-out", ": {shootout_score}"),
    ("{player} scores", " for {side}", " in the shoot-out", " to make it {shootout_score}"),
)
SHOOTOUT_GOAL = Phrasing(
    {},
    (),
    ("{label} ", "GOAL in the shoot-out", ": {shootout_score}"),
    ("A goal", " for {side}", " in the shoot-out", ": {shootout_score}"),
)
SHOOTOUT_MISS_BY_PLAYER = Phrasing(
    {},
    (),
    ("{player} misses in the shoot-out", ": {shootout_score}"),
    ("{player} misses", " for {side}", " in the shoot-out", ", which stands at {shootout_score}"),
)
SHOOTOUT_MISS = Phrasing(
    {},
    (),
    ("{label} ", "miss in the shoot-out", ": {shootout_score}"),
    ("A miss", " for {side}", " in the shoot-out", ", which stands at {shootout_score}"),
)
# How another event relates to its player and the score is unknown: they stand beside it.
OTHER = Phrasing(
    {},
    (),
    ("{label} ", "{event_type}", ": {player}", ", {clock}"),
    ("{label} ", "{event_type}", " {when}", " at {score}", ": {player}"),
)
PHRASINGS = {  # with a player, and without
    "goal": (GOAL_BY_PLAYER, GOAL),
    "penalty goal": (PENALTY_GOAL_BY_PLAYER, PENALTY_GOAL),
    "own goal": (OWN_GOAL, OWN_GOAL),
    "shootout goal": (SHOOTOUT_GOAL_BY_PLAYER, SHOOTOUT_GOAL),
    "shootout miss": (SHOOTOUT_MISS_BY_PLAYER, SHOOTOUT_MISS),
}
