"""Claims that a text may make, and the facts that prove each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from functions.enrich_batch.goal_effect import GoalEffect, certain_effect
from functions.shared.contract.highlight import Facts

LATE = 85
EARLY = 10
HALF_TIME = 45
FULL_TIME = 90


@dataclass(frozen=True, slots=True)
class Claim:
    """What an editor reads about a claim, and whether facts prove it, their type in words."""

    sentence: str
    is_proven: Callable[[Facts, GoalEffect | None], bool]


def _effect(*effects: GoalEffect) -> Callable[[Facts, GoalEffect | None], bool]:
    return lambda _, effect: effect in effects


def _type(*types: str) -> Callable[[Facts, GoalEffect | None], bool]:
    return lambda facts, _: facts.event_type in types


def _period(first: int, last: int, *periods: str) -> Callable[[Facts, GoalEffect | None], bool]:
    """Return whether the period is one of these, or the minute is one of theirs."""

    def is_proven(facts: Facts, _: GoalEffect | None) -> bool:
        if facts.period:
            return facts.period in periods
        return facts.minute is not None and first <= facts.minute <= last

    return is_proven


def _late(facts: Facts, _: GoalEffect | None) -> bool:
    minute = facts.minute or 0
    in_second_half = facts.period in (None, "second_half") and LATE <= minute <= FULL_TIME
    return in_second_half or (facts.period == "extra_time_second" and minute >= FULL_TIME + 25)


def _ahead(facts: Facts, effect: GoalEffect | None) -> bool:
    if facts.event_type == "shootout goal" and facts.shootout_score and facts.side:
        home, away = facts.shootout_score
        return home > away if facts.side == "home" else away > home
    return effect in (GoalEffect.OPENS, GoalEffect.LEADS, GoalEffect.DOUBLES, GoalEffect.EXTENDS)


CLAIMS: Mapping[str, Claim] = {
    "goal": Claim(
        "a goal of any kind, a kick of a shoot-out that scores too",
        _type("goal", "own goal", "penalty goal", "shootout goal"),
    ),
    "miss": Claim("a kick of a shoot-out that misses", _type("shootout miss")),
    "penalty": Claim(
        "a goal from the penalty spot, or a kick of a shoot-out",
        _type("penalty goal", "shootout goal", "shootout miss"),
    ),
    "own_goal": Claim("an own goal", _type("own goal")),
    "shootout": Claim("a kick of a shoot-out", _type("shootout goal", "shootout miss")),
    "opens": Claim("1–0 or 0–1 after the goal", _effect(GoalEffect.OPENS)),
    "equalises": Claim("a draw after the goal", _effect(GoalEffect.EQUALISES)),
    "leads": Claim(
        "the side of the goal is one ahead after it, and was not before",
        _effect(GoalEffect.OPENS, GoalEffect.LEADS),
    ),
    "leads_again": Claim(
        "no facts prove it: the score does not tell which side led before", lambda *_: False
    ),
    "ahead": Claim("the side of the goal is ahead after it, in the shoot-out for a kick", _ahead),
    "doubles": Claim("2–0 or 0–2 after the goal", _effect(GoalEffect.DOUBLES)),
    "extends": Claim(
        "the side of the goal was ahead before it",
        _effect(GoalEffect.DOUBLES, GoalEffect.EXTENDS),
    ),
    "reduces": Claim("the side of the goal is behind after it", _effect(GoalEffect.REDUCES)),
    "assist": Claim(
        "a known assist; the nearest name is that of the assist",
        lambda facts, _: facts.assist is not None,
    ),
    "assist_by": Claim(
        "a known assist; the name after the word is that of the assist",
        lambda facts, _: facts.assist is not None,
    ),
    "assist_of": Claim(
        "a known assist; the name before the word is that of the assist",
        lambda facts, _: facts.assist is not None,
    ),
    "home": Claim("the side of the event is the home side", lambda facts, _: facts.side == "home"),
    "away": Claim("the side of the event is the away side", lambda facts, _: facts.side == "away"),
    "first_half": Claim(
        "the first half, or a minute up to 45", _period(0, HALF_TIME, "first_half")
    ),
    "second_half": Claim(
        "the second half, or a minute from 46 to 90",
        _period(HALF_TIME + 1, FULL_TIME, "second_half"),
    ),
    "extra_time": Claim(
        "a half of extra time, or a minute from 91 on",
        _period(FULL_TIME + 1, 150, "extra_time_first", "extra_time_second"),
    ),
    "added_time": Claim("an added time", lambda facts, _: bool(facts.added_time)),
    "early": Claim(
        "a minute up to 10",
        lambda facts, _: (
            facts.minute is not None and facts.minute <= EARLY and not facts.added_time
        ),
    ),
    "late": Claim("a minute from 85 to 90, or from 115 in extra time; added time after", _late),
    "event": Claim("any event: the word for one whose type is not told", lambda *_: True),
    "never": Claim(
        "no facts prove it: a hat-trick, a winner, a comeback, a header, …", lambda *_: False
    ),
}


def event_type(facts: Facts) -> str:
    """Return the type in words; that of any goal in a shoot-out is "shootout goal"."""
    words = facts.event_type.replace("_", " ").casefold()
    is_goal = words in ("goal", "own goal", "penalty goal")
    return "shootout goal" if is_goal and facts.period == "shootout" else words


def type_code(words: str) -> str:
    """Return the code of the claim that an event is of this type, in words."""
    return f"type {words}"


def proven_claims(facts: Facts) -> frozenset[str]:
    """Return the codes of the claims that the facts prove."""
    type_ = event_type(facts)
    named = facts if facts.event_type == type_ else replace(facts, event_type=type_)
    effect = certain_effect(named)
    proven = {code for code, claim in CLAIMS.items() if claim.is_proven(named, effect)}
    return frozenset(proven | {type_code(type_)})
