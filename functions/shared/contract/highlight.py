"""The highlight: its status, the facts that its text tells, and the text."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from functions.shared.contract.team_names import Side, side_of


class Status(StrEnum):
    """The state of a highlight."""

    PENDING_AI = "PENDING_AI"  # its text is still to be written
    READY = "READY"
    FAILED_AI = "FAILED_AI"  # every attempt to write its text failed
    RETRACTED = "RETRACTED"
    # Never shown: an event that makes no highlight, recorded so that no lower revision makes one.
    IGNORED = "IGNORED"


SHOWN_STATUSES: Final = tuple(status for status in Status if status is not Status.IGNORED)


class Expectation(StrEnum):
    """Whether an accepted event makes a highlight, unless it is retracted."""

    EXPECTED = "expected"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts that a text tells, under the names and in the units of the event; None is unknown.

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
        """The side that `team` is, by the word or by the side's name, if that is known."""
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


@dataclass(frozen=True, slots=True)
class HighlightText:
    """The title and the summary of a highlight: one line each."""

    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class Enrichment:
    """The text of a highlight in each language, the first of which is its title and summary.

    `enriched_by` wrote it: `template`, `http` or `model:NAME`. `refused` are the codes for which
    texts before it were refused, `tokens` those that a model used for all of them. A provisional
    text stands in until the enricher's endpoint is back.
    """

    texts: Mapping[str, HighlightText]
    enriched_by: str
    refused: tuple[str, ...] = ()
    thumbnail_url: str | None = None
    tokens: int = 0
    provisional: bool = False

    @property
    def text(self) -> HighlightText:
        """The title and the summary."""
        return next(iter(self.texts.values()))
