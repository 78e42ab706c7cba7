"""The fact guard: a text says nothing that the facts of its highlight do not."""

from collections.abc import Mapping, Sequence
from typing import Final

from functions.enrich_batch.enricher import Refusal, Style
from functions.enrich_batch.guard.grounds import Grounds, grounds_of
from functions.enrich_batch.guard.lexicon import lexicon_of
from functions.enrich_batch.guard.numbers import numbers_of
from functions.enrich_batch.guard.reading import read
from functions.enrich_batch.guard.rules import RULES, Part, Rule
from functions.enrich_batch.one_line import one_line
from functions.shared.contract.highlight import Facts, HighlightText

__all__ = ["LONGEST", "RULES", "Refusal", "Rule", "check"]

LONGEST: Final[Mapping[Style, tuple[int, int]]] = {
    "neutral": (120, 400),
    "short": (65, 65),
}  # characters of the title, the summary


def check(
    text: HighlightText,
    facts: Facts,
    language: str,
    style: Style = "neutral",
    *,
    allow_description: bool = False,
    rules: Sequence[Rule] = RULES,
) -> tuple[Refusal, ...]:
    """Return why a text may not be published, or nothing if it may.

    Args:
        text: its title and summary.
        facts: of the highlight; nothing else counts as known.
        language: a BCP 47 tag.
        style: "neutral" or "short".
        allow_description: whether the summary may end with the event's own description, verbatim.
        rules: those that are checked.

    Raises:
        LookupError: there is no vocabulary of the language.
    """
    grounds, lexicon = grounds_of(facts), lexicon_of(language)
    summary = _without_description(text.summary, facts) if allow_description else text.summary
    parts: list[Part] = []
    for words, longest in zip((text.title, summary), LONGEST[style], strict=True):
        if not words and text.summary and text.title:
            continue  # it is the description alone
        if style == "neutral" and len(words) > longest:
            longest += _letters_of_names(words, grounds)
        reading = read(words, grounds, lexicon)
        parts.append(Part(words, reading, numbers_of(reading), longest, style))
    if summary == text.summary:
        parts[1].title = parts[0]
    refusals: dict[Refusal, None] = {}
    for part in parts:
        for rule in rules:
            for found in rule.find(part):
                refusals[Refusal(rule.code, found)] = None
    return tuple(refusals)


def _without_description(summary: str, facts: Facts) -> str:
    """Return what is before the event's own description at the end of a summary."""
    description = (one_line(facts.description) or "").rstrip(" .,;:-–—")
    head, found, tail = summary.rpartition(description) if description else (summary, "", "")
    before = head.rstrip("\u2066\u2067\u2068")
    is_isolated = len(head) - len(before) == 1 and tail.endswith("\u2069")
    is_whole = (tail.rstrip("\u2069") if is_isolated else tail) in ("", ".", "。")
    is_apart = not before or before[-1].isspace() or before[-1] == "。"
    is_description = found and is_apart and is_whole and is_isolated == (before != head)
    return before.rstrip() if is_description else summary


def _letters_of_names(text: str, grounds: Grounds) -> int:
    """Return how many characters of a text are of the full names of the facts."""
    facts = grounds.facts
    names = {facts.home_team, facts.away_team, facts.team, facts.player, facts.assist}
    return sum(len(name) * text.count(name) for name in names if name)
