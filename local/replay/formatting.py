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
    home, away = event.home_score, event.away_score
    if event.period == SHOOTOUT:
        home, away = event.home_shootout_score, event.away_shootout_score
    score = f"{home}{EN_DASH}{away}"
    text = f"{_minute(event)}{event.home_team} {score} {event.away_team}"
    text += f", {event.player}" if event.player else ""
    kind = KINDS.get(event.event_type)
    return f"{text} ({kind})" if kind else text


def fixture(match: Match) -> str:
    """Return a match as one line, with its score where the file has one."""
    score = EN_DASH.join(map(str, match.score or ("", "")))
    return f"{match.home} {score} {match.away}"


def _minute(event: Event) -> str:
    if event.minute is None:
        return ""
    added = f"+{event.added_time}" if event.added_time else ""
    return f"{event.minute}{added}' "
