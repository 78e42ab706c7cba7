"""Goals and matches as text."""

from functions.shared.contract.event import Event
from functions.shared.contract.event_types import SHOOTOUT
from local.replay.openfootball import Match

EN_DASH = "\N{EN DASH}"
KINDS = {
    "own_goal": "own goal",
    "penalty_goal": "penalty",
    "shootout_goal": "shoot-out, scored",
    "shootout_miss": "shoot-out, missed",
}


def event_line(event: Event) -> str:
    """Return a goal as one line: minute, score after it, scorer and kind, as far as known."""
    text = _minute(event) + ", ".join(filter(None, (_score(event), event.player)))
    kind = KINDS.get(event.event_type)
    if not text:
        return kind or event.event_type
    return f"{text} ({kind})" if kind else text


def fixture(match: Match) -> str:
    """Return a match as one line, with its score where the file has one."""
    score = EN_DASH.join(map(str, match.score or ("", "")))
    return f"{match.home} {score} {match.away}"


def _score(event: Event) -> str | None:
    """Return the score between the names of the teams; without them, the score or the team."""
    home, away = event.home_score, event.away_score
    if event.period == SHOOTOUT:
        home, away = event.home_shootout_score, event.away_shootout_score
    score = EN_DASH if home is None or away is None else f"{home}{EN_DASH}{away}"
    if event.home_team and event.away_team:
        return f"{event.home_team} {score} {event.away_team}"
    return event.team if score == EN_DASH else score


def _minute(event: Event) -> str:
    if event.minute is None:
        return ""
    added = f"+{event.added_time}" if event.added_time else ""
    return f"{event.minute}{added}' "
