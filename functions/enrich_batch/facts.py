"""The facts of an event, and the enricher that writes a text about them."""

from dataclasses import dataclass, replace
from typing import Protocol

from functions.enrich_batch.one_line import one_line
from functions.shared.contract.event_types import SHOOTOUT_GOAL, is_kick
from functions.shared.contract.team_names import Side, side_of


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of an event, with the names and units of the contract; None is unknown.

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
        """The side that `team` names, by its word or its team's name; None if that is unknown."""
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

    def normalized(self) -> "Facts":
        """Return the facts with each text on one line, and None for one that says nothing.

        The type is in words, and that of any goal in a shoot-out is "shootout goal".
        """
        is_shootout_goal = is_kick(self.event_type.casefold(), self.period)
        event_type = SHOOTOUT_GOAL if is_shootout_goal else self.event_type
        return replace(
            self,
            event_type=one_line(event_type.replace("_", " ")) or "event",
            team=one_line(self.team),
            player=one_line(self.player),
            assist=one_line(self.assist),
            description=one_line(self.description),
            home_team=one_line(self.home_team),
            away_team=one_line(self.away_team),
        )


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a highlight; title and summary are one line each."""

    title: str
    summary: str


class Enricher(Protocol):
    """Writes the text of a highlight, and states nothing that the facts do not."""

    async def enrich(self, facts: Facts) -> Text:
        """Return the text for these facts; any error is an attempt that failed."""
        ...
