"""The events that a live feed would send for a match."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from functions.shared.contracts import Event
from local.replay.clock import timeline
from local.replay.openfootball import Goal, Match

NAMESPACE = uuid5(NAMESPACE_URL, "https://github.com/openfootball")


def match_id(match: Match) -> UUID:
    """Return the match's id: the same for the same competition, date and teams."""
    return uuid5(
        NAMESPACE, "/".join([match.competition, match.date.isoformat(), match.home, match.away])
    )


def events(match: Match) -> list[Event]:
    """Return one event a goal, in the order of the match clock, with the score after each.

    An `eventId` says side, minute and which goal of that side in that minute it is, never who
    scored: it stays the same when a scorer is corrected, and tells apart two goals of one
    player in one minute.
    """
    score: Counter[str] = Counter()
    in_minute: Counter[str] = Counter()
    made = []
    for since_kick_off, goal in timeline(match.goals):
        score[goal.side] += 1
        moment = _moment(goal)
        in_minute[moment] += 1
        made.append(_event(match, goal, since_kick_off, f"{moment}:{in_minute[moment]}", score))
    return made


def _event(
    match: Match, goal: Goal, since_kick_off: timedelta, which: str, score: Mapping[str, int]
) -> Event:
    match_uuid = match_id(match)
    return Event.model_validate(
        {
            "matchId": match_uuid,
            "eventId": f"{match_uuid}:{which}",
            "occurredAt": (match.kick_off + since_kick_off).isoformat(),
            "eventType": goal.kind,
            "team": goal.side,
            "player": goal.player,
            "minute": goal.minute,
            "addedTime": goal.added_time,
            "homeTeam": match.home,
            "awayTeam": match.away,
            "homeScore": score["home"],
            "awayScore": score["away"],
        }
    )


def _moment(goal: Goal) -> str:
    minute = "unknown" if goal.minute is None else f"{goal.minute}.{goal.added_time or 0}"
    return f"{goal.side}:{minute}"
