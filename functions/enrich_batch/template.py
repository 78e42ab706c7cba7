"""The enricher that needs no one else: titles and summaries put together from the facts alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from string import Formatter
from typing import NamedTuple

from functions.enrich_batch.facts import clean
from functions.enrich_batch.score import GoalEffect, goal_effects
from functions.shared.contract.highlight import Facts, HighlightText

# Of each row the first phrase whose every {word} is known. {side} is who the goal counts for,
# {unlisted} the same where the score line does not name them.
PLAYER_PHRASES = {
    GoalEffect.OPENS: ("opens the scoring for {unlisted}", "opens the scoring"),
    GoalEffect.LEADS: ("puts {side} ahead",),
    GoalEffect.EQUALISES: ("equalises for {side}", "equalises"),
    GoalEffect.DOUBLES: ("doubles the lead for {unlisted}", "doubles the lead"),
    GoalEffect.EXTENDS: ("extends the lead for {unlisted}", "extends the lead"),
    GoalEffect.REDUCES: ("pulls one back for {unlisted}", "pulls one back"),
}
GOAL_PHRASES = {
    GoalEffect.OPENS: ("puts {side} ahead", "opens the scoring"),
    GoalEffect.LEADS: ("puts {side} ahead",),
    GoalEffect.EQUALISES: ("brings {side} level", "levels the score"),
    GoalEffect.DOUBLES: ("doubles the lead for {side}", "doubles the lead"),
    GoalEffect.EXTENDS: ("extends the lead for {side}", "extends the lead"),
    GoalEffect.REDUCES: ("pulls one back for {side}", "pulls one back"),
}


class Phrasing(NamedTuple):
    """How a kind of event is told: of each row, the pieces whose every {word} is known."""

    phrases: Mapping[GoalEffect, Sequence[str]]
    turned: Sequence[str]  # the title where the score tells what the goal did: {turn}
    plain: Sequence[str]  # the title where it does not
    sentence: Sequence[str]  # the summary, up to the event's own description


TAIL = (": {score}", ", {clock}")
SCORED = Phrasing(
    PLAYER_PHRASES,
    ("{player} {turn}", *TAIL),
    ("{label} ", "GOAL by {player}", *TAIL),
    (
        "{player} scores", " for {side}", " {when}", " to make it {score}",
        ", assisted by {assist}",
    ),
)  # fmt: skip
CONVERTED = Phrasing(
    PLAYER_PHRASES,
    ("{player} {turn} from the penalty spot", *TAIL),
    ("{label} ", "GOAL by {player} from the penalty spot", *TAIL),
    ("{player} scores", " for {side}", " from the penalty spot", " {when}", " to make it {score}"),
)
GOAL = Phrasing(
    GOAL_PHRASES,
    ("Goal {turn}", *TAIL),
    ("{label} ", "GOAL", *TAIL),
    ("A goal", " for {side}", " {when}", ": {score}", ", assisted by {assist}"),
)
PENALTY_GOAL = Phrasing(
    GOAL_PHRASES,
    ("Penalty goal {turn}", *TAIL),
    ("{label} ", "GOAL from the penalty spot", *TAIL),
    ("A penalty goal", " for {side}", " {when}", ": {score}"),
)
OWN_GOAL = Phrasing(
    GOAL_PHRASES,
    ("Own goal", " by {player}", " {turn}", *TAIL),
    ("Own goal", " by {player}", " counts for {side}", *TAIL),
    ("An own goal", " by {player}", " {when}", " counts for {side}", ": {score}"),
)
# A kick of a shoot-out makes its own score, and none of the match.
KICK = Phrasing(
    {},
    (),
    ("{player} scores in the shoot-out", ": {kicks}"),
    ("{player} scores", " for {side}", " in the shoot-out", " to make it {kicks}"),
)
NAMELESS_KICK = Phrasing(
    {},
    (),
    ("{label} ", "GOAL in the shoot-out", ": {kicks}"),
    ("A goal", " for {side}", " in the shoot-out", ": {kicks}"),
)
MISSED_KICK = Phrasing(
    {},
    (),
    ("{player} misses in the shoot-out", ": {kicks}"),
    ("{player} misses", " for {side}", " in the shoot-out", ", which stands at {kicks}"),
)
NAMELESS_MISS = Phrasing(
    {},
    (),
    ("{label} ", "miss in the shoot-out", ": {kicks}"),
    ("A miss", " for {side}", " in the shoot-out", ", which stands at {kicks}"),
)
# What another event has to do with its player and the score is unknown: they stand beside it.
OTHER = Phrasing(
    {},
    (),
    ("{label} ", "{kind}", ": {player}", ", {clock}"),
    ("{label} ", "{kind}", " {when}", " at {score}", ": {player}"),
)
PHRASINGS = {  # with a player, and without
    "goal": (SCORED, GOAL),
    "penalty goal": (CONVERTED, PENALTY_GOAL),
    "own goal": (OWN_GOAL, OWN_GOAL),
    "shootout goal": (KICK, NAMELESS_KICK),
    "shootout miss": (MISSED_KICK, NAMELESS_MISS),
}

FULL_EXTRA_TIME = 120
DASH = "\N{EN DASH}"
DANGLING = f" ,;:-{DASH}\N{EM DASH}"
# A sentence that ends with one of these needs no full stop, even if closers stand behind it.
ENDS = tuple(
    ".!?\N{HORIZONTAL ELLIPSIS}\N{IDEOGRAPHIC FULL STOP}\N{DEVANAGARI DANDA}"
    "\N{ARABIC QUESTION MARK}\N{ARABIC FULL STOP}"
    "\N{FULLWIDTH EXCLAMATION MARK}\N{FULLWIDTH QUESTION MARK}"
)
CLOSERS = (
    "\"')]\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}\N{RIGHT CORNER BRACKET}"
)


class TemplateEnricher:
    """Writes from fixed phrases: the same facts make the same text, on every machine."""

    async def enrich(self, facts: Facts) -> HighlightText:
        """Return the text for these facts."""
        facts = clean(facts)
        with_player, without = PHRASINGS.get(facts.event_type.casefold(), (OTHER, OTHER))
        form = with_player if facts.player else without
        words = _judged(facts, form.phrases, _words(facts))
        title = "".join(_sayable(form.turned if "turn" in words else form.plain, words))
        sentence = "".join(_sayable(form.sentence, words))
        description = (facts.description or "").rstrip(DANGLING)
        return HighlightText(
            title, " ".join(_ended(part) for part in (sentence, description) if part)
        )


def _sayable(pieces: Iterable[str], words: Mapping[str, str]) -> Iterator[str]:
    for piece in pieces:
        if words.keys() >= _names(piece):
            yield piece.format_map(words)


@cache
def _names(piece: str) -> frozenset[str]:
    """The names of the words that a piece is made with."""
    return frozenset(name for _, name, _, _ in Formatter().parse(piece) if name)


def _ended(sentence: str) -> str:
    return sentence if sentence.rstrip(CLOSERS).endswith(ENDS) else f"{sentence}."


def _words(facts: Facts) -> dict[str, str]:
    """Return the words for all that is known."""
    label = side = facts.team
    if facts.side:
        name = facts.home_team if facts.side == "home" else facts.away_team
        label, side = name or facts.side.capitalize(), name or f"the {facts.side} side"
    kind = facts.event_type
    words = {
        "kind": kind if label else kind[0].upper() + kind[1:],
        "label": label,
        "side": side,
        "unlisted": None if facts.home_team and facts.away_team else side,
        "player": facts.player,
        "assist": facts.assist,
        "score": _score_line(facts, facts.score),
        "kicks": _score_line(facts, facts.shootout_score),
        "clock": _clock(facts),
        "when": _when(facts),
    }
    return {name: word for name, word in words.items() if word is not None}


def _judged(
    facts: Facts, phrases: Mapping[GoalEffect, Sequence[str]], words: dict[str, str]
) -> dict[str, str]:
    """Add what a goal did to the score, if certain; drop the score that it may not have made."""
    if facts.score is None or not phrases:
        return words
    possible = goal_effects(*facts.score, facts.side)
    if not possible or _may_be_a_kick(facts):
        return {name: word for name, word in words.items() if name != "score"}
    stranger = facts.team and not facts.side and facts.home_team and facts.away_team
    if stranger or len(possible) > 1:
        return words
    (turn,) = possible
    # LEADS alone has no phrase without a side, and is certain only of a known one.
    return words | {"turn": next(_sayable(phrases[turn], words))}


def _may_be_a_kick(facts: Facts) -> bool:
    """Whether a penalty may belong to the shoot-out, whose kicks feeds have at 120+1, 120+2."""
    late = facts.minute is not None and facts.minute >= FULL_EXTRA_TIME and facts.added_time
    return facts.event_type.casefold() == "penalty goal" and facts.period is None and bool(late)


def _score_line(facts: Facts, score: tuple[int, int] | None) -> str | None:
    if score is None:
        return None
    line = DASH.join(map(str, score))
    if facts.home_team and facts.away_team:
        return f"{facts.home_team} {line} {facts.away_team}"
    return line


def _clock(facts: Facts) -> str | None:
    if facts.minute is None:
        return None
    return f"{facts.minute}+{facts.added_time}'" if facts.added_time else f"{facts.minute}'"


def _when(facts: Facts) -> str | None:
    if facts.minute is None:
        return None
    if facts.added_time:
        return f"in added time ({_clock(facts)})"
    return f"in the {_ordinal(facts.minute)} minute"


def _ordinal(number: int) -> str:
    teen = number // 10 % 10 == 1
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
