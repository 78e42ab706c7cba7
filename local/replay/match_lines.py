"""Reading matches from JSON Lines: each line has the goals and shoot-out kicks of a match."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ValidationError

from local.replay.openfootball import Goal, Kick, Kind, Match, Side, Team, UnreadableFileError

SIDES: tuple[Side, Side] = ("home", "away")


class _Event(BaseModel):
    type: str
    side: Literal[1, 2] = 1
    player: str | None = None
    minute: int | None = None
    stoppage: int | None = None
    penalty: bool = False
    own_goal: bool = False
    shootout_score: tuple[int, int] | None = None  # after a kick that went in

    def goal(self) -> Goal:
        kind: Kind = "own_goal" if self.own_goal else "penalty_goal" if self.penalty else "goal"
        return Goal(SIDES[self.side - 1], kind, self.player, self.minute, self.stoppage)


class _Match(BaseModel):
    competition: str
    team1: Team
    team2: Team
    score: tuple[int, int]
    date: date
    kickoff_utc_derived: AwareDatetime
    events: list[_Event]

    def read(self) -> Match:
        return Match(
            competition=self.competition,
            date=self.date,
            kick_off=self.kickoff_utc_derived.astimezone(UTC),
            home=self.team1,
            away=self.team2,
            goals=tuple(event.goal() for event in self.events if event.type == "goal"),
            score=self.score,
            kicks=tuple(_kicks([e for e in self.events if e.type.startswith("shootout_")])),
        )


def read(path: Path) -> list[Match]:
    """Return the matches of the file at `path`, in its order.

    A line is an object with `competition`, `team1`, `team2`, `score`, `date`,
    `kickoff_utc_derived` and `events`, of which those of the types `goal`, `shootout_goal` and
    `shootout_miss` count. Raises UnreadableFileError, and OSError when there is nothing to read.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_match(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _match(path: Path, number: int, line: str) -> Match:
    try:
        return _Match.model_validate_json(line).read()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UnreadableFileError(f"{path}, line {number}: {where}: {first['msg']}") from error


def _kicks(events: Sequence[_Event]) -> Iterator[Kick]:
    """Yield the kicks in their order; the sides take turns, so one score tells whose each is."""
    first = _first_side(events)
    score = (0, 0)
    for index, event in enumerate(events):
        score = event.shootout_score or score
        scored = event.shootout_score is not None
        yield Kick(SIDES[(first + index) % 2], scored, event.player, score)


def _first_side(events: Sequence[_Event]) -> int:
    for index, event in enumerate(events):
        if event.shootout_score:
            scorer = 0 if event.shootout_score[0] else 1
            return (scorer + index) % 2
    return 0
