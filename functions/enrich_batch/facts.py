"""What an event says, and what an enricher makes of it."""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Literal, Protocol

Side = Literal["home", "away"]

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
    description: str | None = None
    minute: int | None = None
    added_time: int | None = None
    home_team: str | None = None
    away_team: str | None = None
    home_score: int | None = None
    away_score: int | None = None

    @property
    def side(self) -> Side | None:
        """The side that `team` is, if the event tells: by the word or by the side's name."""
        if self.team is None:
            return None
        team = self.team.casefold()
        home = team in ("home", (self.home_team or "home").casefold())
        away = team in ("away", (self.away_team or "away").casefold())
        if home == away:
            return None
        return "home" if home else "away"

    @property
    def score(self) -> tuple[int, int] | None:
        """The home and the away score, if both are known."""
        if self.home_score is None or self.away_score is None:
            return None
        return self.home_score, self.away_score

    def cleaned(self) -> "Facts":
        """The same facts, each text on one line; one that says nothing is unknown."""
        return replace(
            self,
            event_type=_one_line(self.event_type.replace("_", " ")) or "event",
            team=_one_line(self.team),
            player=_one_line(self.player),
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
    if text is None or not any(unicodedata.category(character)[0] in "LNS" for character in text):
        return None
    return _GAP.sub(" ", text).strip()
