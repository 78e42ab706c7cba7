"""An enricher that puts texts together from the facts alone, without an AI."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from string import Formatter

from functions.enrich_batch.enricher import Draft, EnrichmentTask
from functions.enrich_batch.goal_effect import GoalEffect, certain_effect, score_is_doubtful
from functions.enrich_batch.phrasings import OTHER, PHRASINGS
from functions.shared.contract.highlight import Facts, HighlightText

DASH = "\N{EN DASH}"
TRAILING = f" ,;:-{DASH}\N{EM DASH}"
# A sentence that ends with one of these, or with one and closing marks, needs no full stop.
SENTENCE_ENDS = tuple(
    ".!?\N{HORIZONTAL ELLIPSIS}\N{IDEOGRAPHIC FULL STOP}\N{DEVANAGARI DANDA}"
    "\N{ARABIC QUESTION MARK}\N{ARABIC FULL STOP}"
    "\N{FULLWIDTH EXCLAMATION MARK}\N{FULLWIDTH QUESTION MARK}"
)
CLOSING_MARKS = (
    "\"')]\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}\N{RIGHT CORNER BRACKET}"
)


class TemplateEnricher:
    """Writes texts of fixed phrases: equal facts make equal texts, on every machine."""

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return the text for these facts, in English."""
        facts = task.facts
        with_player, without = PHRASINGS.get(facts.event_type.casefold(), (OTHER, OTHER))
        phrasing = with_player if facts.player else without
        words = _with_effect(facts, phrasing.effects, _words(facts))
        title = phrasing.title_with_effect if "effect" in words else phrasing.title
        summary = "".join(_filled(phrasing.summary, words))
        description = (facts.description or "").rstrip(TRAILING)
        sentences = [_with_full_stop(part) for part in (summary, description) if part]
        text = HighlightText("".join(_filled(title, words)), " ".join(sentences))
        return Draft({task.languages[0]: text}, "template")


def _filled(pieces: Iterable[str], words: Mapping[str, str]) -> Iterator[str]:
    """Fill the words into those pieces of which all words are known."""
    for piece in pieces:
        if words.keys() >= _placeholders(piece):
            yield piece.format_map(words)


@cache
def _placeholders(piece: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(piece) if name)


def _with_full_stop(sentence: str) -> str:
    return sentence if sentence.rstrip(CLOSING_MARKS).endswith(SENTENCE_ENDS) else f"{sentence}."


def _words(facts: Facts) -> dict[str, str]:
    """Return the words of all facts that are known."""
    label = side = facts.team
    if facts.side:
        name = facts.home_team if facts.side == "home" else facts.away_team
        label, side = name or facts.side.capitalize(), name or f"the {facts.side} side"
    event_type = facts.event_type
    words = {
        "event_type": event_type if label else event_type[0].upper() + event_type[1:],
        "label": label,
        "side": side,
        "unlisted": None if facts.home_team and facts.away_team else side,
        "player": facts.player,
        "assist": facts.assist,
        "score": _score_line(facts, facts.score),
        "shootout_score": _score_line(facts, facts.shootout_score),
        "clock": _clock(facts),
        "when": _when(facts),
    }
    return {name: word for name, word in words.items() if word is not None}


def _with_effect(
    facts: Facts, effects: Mapping[GoalEffect, Sequence[str]], words: dict[str, str]
) -> dict[str, str]:
    """Add the effect of a goal if it is certain; drop a score that the goal may not have made."""
    if facts.score is None or not effects:
        return words
    if score_is_doubtful(facts):
        return {name: word for name, word in words.items() if name != "score"}
    effect = certain_effect(facts)
    # LEADS alone has no phrase without a side, and it is certain only if the side is known.
    return words if effect is None else words | {"effect": next(_filled(effects[effect], words))}


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
