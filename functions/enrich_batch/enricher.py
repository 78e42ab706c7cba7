"""The facts as an enricher needs them, and the enricher that writes a text about them."""

from dataclasses import replace
from typing import Protocol

from functions.enrich_batch.one_line import one_line
from functions.shared.contract.event_types import SHOOTOUT_GOAL, is_kick
from functions.shared.contract.highlight import Facts, HighlightText


class Enricher(Protocol):
    """Writes the text of a highlight, and states nothing that the facts do not."""

    async def enrich(self, facts: Facts) -> HighlightText:
        """Return the text for these facts; any error is an attempt that failed."""
        ...


def normalize(facts: Facts) -> Facts:
    """Return the facts with each text on one line, and None for one that says nothing.

    The type is in words, and that of any goal in a shoot-out is "shootout goal".
    """
    is_shootout_goal = is_kick(facts.event_type.casefold(), facts.period)
    event_type = SHOOTOUT_GOAL if is_shootout_goal else facts.event_type
    return replace(
        facts,
        event_type=one_line(event_type.replace("_", " ")) or "event",
        team=one_line(facts.team),
        player=one_line(facts.player),
        assist=one_line(facts.assist),
        description=one_line(facts.description),
        home_team=one_line(facts.home_team),
        away_team=one_line(facts.away_team),
    )
