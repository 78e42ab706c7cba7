"""Reading matches and goals from openfootball's JSON."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, StringConstraints, ValidationError

from functions.shared.contract.event import Name

Side = Literal["home", "away"]
Kind = Literal["goal", "own_goal", "penalty_goal"]

MINUTE = re.compile(r"(\d{1,3})(?!\d)'?\s*(?:\+\s*(\d+))?")
KICK_OFF = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)")
OFFSET = re.compile(r"(?:UTC|GMT)\s*([+-])(1[0-4]|0?\d)(?::?([0-5]\d))?")
LAST_MINUTE, LONGEST_ADDED_TIME = 150, 30
MIDDAY = time(12)


class UnreadableFileError(ValueError):
    """The file has another format; the message says where."""


@dataclass(frozen=True)
class Goal:
    """A goal on the match clock; `side` is the one that benefits, for an own goal too."""

    side: Side
    kind: Kind
    player: str | None
    minute: int | None
    added_time: int | None


@dataclass(frozen=True)
class Kick:
    """A kick of a shoot-out, with the score of the shoot-out after it."""

    side: Side
    scored: bool
    player: str | None
    score: tuple[int, int]


@dataclass(frozen=True)
class Match:
    """A match; `goals` in the order of the file, `score` without a shoot-out.

    `kicks` are those of the shoot-out in order; openfootball's JSON has none.
    """

    competition: str
    date: date
    kick_off: datetime
    home: str
    away: str
    goals: tuple[Goal, ...]
    score: tuple[int, int] | None
    kicks: tuple[Kick, ...] = ()


def _name_of(team: object) -> object:
    return team.get("name") or team.get("code") if isinstance(team, dict) else team


def _known(player: object) -> object:
    return None if player == "?" else player


Team = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=r"^[^\x00]*$"),
    BeforeValidator(_name_of),
]


class _Goal(BaseModel):
    name: Annotated[Name, BeforeValidator(_known)] = None
    minute: Any = None
    offset: Any = None
    penalty: bool | None = None
    owngoal: bool | None = None

    def read(self, side: Side) -> Goal:
        kind: Kind = "own_goal" if self.owngoal else "penalty_goal" if self.penalty else "goal"
        player = self.name and self.name.strip()
        return Goal(side, kind, player, *_match_clock(self.minute, self.offset))


class _Match(BaseModel):
    date: date
    time: Any = None
    timezone: Any = None
    team1: Team
    team2: Team
    score: Any = None
    goals1: list[_Goal] | None = None
    goals2: list[_Goal] | None = None

    def read(self, competition: str) -> Match:
        home = [goal.read("home") for goal in self.goals1 or []]
        away = [goal.read("away") for goal in self.goals2 or []]
        return Match(
            competition=competition,
            date=self.date,
            kick_off=_kick_off(self.date, f"{self.time} {self.timezone}"),
            home=self.team1,
            away=self.team2,
            goals=(*home, *away),
            score=_final_score(self.score),
        )


class _Round(BaseModel):
    matches: list[_Match]


class _Competition(BaseModel):
    name: str = ""
    matches: list[_Match] = []
    rounds: list[_Round] = []


def read(path: Path) -> list[Match]:
    """Return the matches of the file at `path`, in its order.

    A kick-off is the file's local time less its UTC offset; where it gives no offset the time
    is taken as UTC, and where it gives no time as midday. Newer files list matches, older ones
    rounds of matches. Raises UnreadableFileError, and OSError when there is nothing to read.
    """
    try:
        return parse(json.loads(path.read_bytes()))
    except ValueError as error:
        raise UnreadableFileError(f"{path} is not openfootball's JSON: {error}") from error


def parse(document: object) -> list[Match]:
    """Return the matches of a JSON document that has been decoded; see `read`."""
    try:
        competition = _Competition.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UnreadableFileError(f"{where or 'the document'}: {first['msg']}") from error
    rows = [*competition.matches, *(m for part in competition.rounds for m in part.matches)]
    if not rows:
        raise UnreadableFileError("it has no matches")
    return [row.read(competition.name) for row in rows]


def _match_clock(minute: object, offset: object) -> tuple[int | None, int | None]:
    """Return minute and added time of 45, "45", "45+2", "45'+2'", or 45 with an offset of 2."""
    found = MINUTE.match(str(minute).strip())
    if not found or int(found[1]) > LAST_MINUTE:
        return None, None
    digits = found[2] or re.sub(r"\D", "", str(offset))
    added = int(digits) if digits else 0
    return int(found[1]), added if 0 < added <= LONGEST_ADDED_TIME else None


def _kick_off(day: date, text: str) -> datetime:
    clock, offset = KICK_OFF.search(text), OFFSET.search(text)
    local = time(int(clock[1]), int(clock[2])) if clock else MIDDAY
    ahead = timedelta()
    if offset:
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        ahead = -ahead if offset[1] == "-" else ahead
    return datetime.combine(day, local, timezone(ahead)).astimezone(UTC)


def _final_score(score: object) -> tuple[int, int] | None:
    """Return the score after extra time if there was any; a shoot-out does not change it."""
    pair = (score.get("et") or score.get("ft")) if isinstance(score, dict) else None
    match pair:
        case [int(home), int(away)]:
            return home, away
    return None
