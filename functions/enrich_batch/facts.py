"""What an event says, and what an enricher makes of it."""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Protocol

from functions.enrich_batch.invisible import without_invisible
from functions.shared.contract.event_types import SHOOTOUT_GOAL, is_kick
from functions.shared.contract.team_names import Side, side_of

# Beside white space, what is no part of a name but would reach beyond it: control characters, and
# the marks that reorder the text which follows them.
_GAP = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event says, by the names and units of the contract; None is unknown.

    The scores are those after the event. Of an own goal, `team` is the side that benefits and
    `player` the one who scored it.
    """

    event_type: str
    team: str | None = None
    player: str | None = None
    assist: str | None = None
    description: str | None = None
    period: str | None = None
    minute: int | None = None
    added_time: int | None = None
    home_team: str | None = None
    away_team: str | None = None
    home_score: int | None = None
    away_score: int | None = None
    home_shootout_score: int | None = None
    away_shootout_score: int | None = None

    @property
    def side(self) -> Side | None:
        """The side that `team` is, if the event tells: by the word or by the side's name."""
        return side_of(self.team, self.home_team, self.away_team)

    @property
    def score(self) -> tuple[int, int] | None:
        """The home and the away score, if both are known."""
        if self.home_score is None or self.away_score is None:
            return None
        return self.home_score, self.away_score

    @property
    def shootout_score(self) -> tuple[int, int] | None:
        """The home and the away score of the shoot-out, if both are known."""
        if self.home_shootout_score is None or self.away_shootout_score is None:
            return None
        return self.home_shootout_score, self.away_shootout_score

    def _told_type(self) -> str:
        kick = is_kick(self.event_type.casefold(), self.period)
        return SHOOTOUT_GOAL if kick else self.event_type

    def cleaned(self) -> "Facts":
        """The same facts, each text on one line; one that says nothing is unknown.

        The type is in words, and that of a goal in a shoot-out says that it is a kick of it.
        """
        return replace(
            self,
            event_type=_one_line(self._told_type().replace("_", " ")) or "event",
            team=_one_line(self.team),
            player=_one_line(self.player),
            assist=_one_line(self.assist),
            description=_one_line(self.description),
            home_team=_one_line(self.home_team),
            away_team=_one_line(self.away_team),
        )


@dataclass(frozen=True, slots=True)
class Text:
    """What an enricher writes about an event: one line each."""

    title: str
    summary: str


class Enricher(Protocol):
    """Writes the title and the summary of a highlight, and says nothing that the facts do not."""

    async def enrich(self, facts: Facts) -> Text:
        """Return the text for these facts; any error is an attempt that failed."""
        ...


def _one_line(text: str | None) -> str | None:
    """Return None for a text without any letter, digit or symbol: it says nothing."""
    if text is None:
        return None
    line = without_invisible(text)
    # What is printable has no gap but spaces.
    line = " ".join(line.split()) if line.isprintable() else _GAP.sub(" ", line).strip()
    return line if any(unicodedata.category(character)[0] in "LNS" for character in line) else None
