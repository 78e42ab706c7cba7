"""The events that a live feed would send for a match."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from functions.shared.contract.event import Event
from functions.shared.contract.event_types import SHOOTOUT, SHOOTOUT_GOAL, SHOOTOUT_MISS
from local.replay.match_clock import timeline
from local.replay.openfootball import Goal, Kick, Match

NAMESPACE = uuid5(NAMESPACE_URL, "https://github.com/openfootball")

ONE_MINUTE = timedelta(minutes=1)
END_OF_EXTRA_TIME = timedelta(minutes=45 + 15 + 45 + 5 + 15 + 1 + 15 + 5)  # with the breaks


def match_id(match: Match) -> UUID:
    """Return the match's id: the same for the same competition, date and teams."""
    return uuid5(
        NAMESPACE, "/".join([match.competition, match.date.isoformat(), match.home, match.away])
    )


def events(match: Match) -> list[Event]:
    """Return an event for each goal, by the match clock, then one for each kick of a shoot-out.

    Each has the score after it; a kick changes only that of the shoot-out.

    An `eventId` is made of side, minute and the number of the goal in that minute, and not of the
    scorer: it stays the same when the scorer is corrected, and two goals of one player in one
    minute differ.
    """
    score: Counter[str] = Counter()
    in_minute: Counter[str] = Counter()
    match_events = []
    for since_kick_off, goal in timeline(match.goals):
        score[goal.side] += 1
        minute = _minute_key(goal)
        in_minute[minute] += 1
        match_events.append(
            _event(match, goal, since_kick_off, f"{minute}:{in_minute[minute]}", score)
        )
    last = max((event.occurred_at for event in match_events), default=match.kick_off)
    first_kick = max(last, match.kick_off + END_OF_EXTRA_TIME) + ONE_MINUTE
    for number, kick in enumerate(match.kicks):
        match_events.append(_kick(match, kick, number + 1, first_kick + number * ONE_MINUTE))
    return match_events


def _event(
    match: Match, goal: Goal, since_kick_off: timedelta, key: str, score: Mapping[str, int]
) -> Event:
    match_uuid = match_id(match)
    return Event.model_validate(
        {
            "matchId": match_uuid,
            "eventId": f"{match_uuid}:{key}",
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


def _kick(match: Match, kick: Kick, number: int, occurred_at: datetime) -> Event:
    match_uuid = match_id(match)
    home_score, away_score = match.score or (None, None)
    return Event.model_validate(
        {
            "matchId": match_uuid,
            "eventId": f"{match_uuid}:kick:{number}",
            "occurredAt": occurred_at.isoformat(),
            "eventType": SHOOTOUT_GOAL if kick.scored else SHOOTOUT_MISS,
            "period": SHOOTOUT,
            "team": kick.side,
            "player": kick.player,
            "homeTeam": match.home,
            "awayTeam": match.away,
            "homeScore": home_score,
            "awayScore": away_score,
            "homeShootoutScore": kick.score[0],
            "awayShootoutScore": kick.score[1],
        }
    )


def _minute_key(goal: Goal) -> str:
    minute = "unknown" if goal.minute is None else f"{goal.minute}.{goal.added_time or 0}"
    return f"{goal.side}:{minute}"
