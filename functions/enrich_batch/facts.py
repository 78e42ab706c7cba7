"""The facts as an enricher needs them: clean, each on one line."""

import re
import unicodedata
from dataclasses import replace
from typing import Protocol

from functions.enrich_batch.invisible import without_invisible
from functions.shared.contract.event_types import SHOOTOUT_GOAL, is_kick
from functions.shared.contract.highlight import Facts, HighlightText

# Beside white space, what is no part of a name but would reach beyond it: control characters, and
# the marks that reorder the text which follows them.
_GAP = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


class Enricher(Protocol):
    """Writes the title and the summary of a highlight, and says nothing that the facts do not."""

    async def enrich(self, facts: Facts) -> HighlightText:
        """Return the text for these facts; any error is an attempt that failed."""
        ...


def clean(facts: Facts) -> Facts:
    """Return the same facts, each text on one line; one that says nothing is unknown.

    The type is in words, and that of a goal in a shoot-out says that it is a kick of it.
    """
    is_goal_of_shootout = is_kick(facts.event_type.casefold(), facts.period)
    event_type = SHOOTOUT_GOAL if is_goal_of_shootout else facts.event_type
    return replace(
        facts,
        event_type=_one_line(event_type.replace("_", " ")) or "event",
        team=_one_line(facts.team),
        player=_one_line(facts.player),
        assist=_one_line(facts.assist),
        description=_one_line(facts.description),
        home_team=_one_line(facts.home_team),
        away_team=_one_line(facts.away_team),
    )


def _one_line(text: str | None) -> str | None:
    """Return None for a text without any letter, digit or symbol: it says nothing."""
    if text is None:
        return None
    line = without_invisible(text)
    # What is printable has no gap but spaces.
    line = " ".join(line.split()) if line.isprintable() else _GAP.sub(" ", line).strip()
    return line if any(unicodedata.category(character)[0] in "LNS" for character in line) else None
