from typing import Any

import pytest

from local.follow.highlight_line import highlight_line

GOAL: dict[str, Any] = {
    "id": "5e0d3e9c-0c5b-5d0c-8d0f-3c1f6a3f0b1a",
    "eventType": "penalty_goal",
    "team": "home",
    "player": "Lionel Messi",
    "minute": 23,
    "homeTeam": "Argentina",
    "awayTeam": "France",
    "homeScore": 1,
    "awayScore": 0,
    "revision": 0,
    "reason": None,
    "status": "READY",
    "title": "Messi scores",
    "summary": "Argentina lead.",
}
FACTS = "23' Argentina 1–0 France, Lionel Messi (penalty)"
UNKNOWN = dict.fromkeys(("minute", "homeTeam", "awayTeam", "homeScore", "awayScore", "player"))


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, f"READY      {FACTS}: Messi scores | Argentina lead."),
        ({"status": "PENDING_AI", "title": None}, f"PENDING_AI {FACTS}"),
        ({"status": "FAILED_AI"}, f"FAILED_AI  {FACTS}"),
        ({"status": "PENDING_AI", "revision": 2}, f"PENDING_AI {FACTS} (corrected)"),
        ({"status": "RETRACTED", "revision": 3}, f"RETRACTED  {FACTS}"),
        ({"status": "RETRACTED", "reason": "VAR: offside"}, f"RETRACTED  {FACTS}: VAR: offside"),
    ],
)
def test_a_line_has_the_status_and_the_goal(changes: dict[str, Any], line: str) -> None:
    """Then the text, or why it was retracted; a correction is marked."""
    assert highlight_line({**GOAL, **changes}) == line


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({}, "PENDING_AI home (penalty)"),
        ({"team": None}, "PENDING_AI penalty"),
        ({"team": None, "eventType": "goal"}, "PENDING_AI goal"),
        ({"player": "Messi"}, "PENDING_AI home, Messi (penalty)"),
        ({"homeScore": 2, "awayScore": 1}, "PENDING_AI 2–1 (penalty)"),
        ({"homeTeam": "A", "awayTeam": "B"}, "PENDING_AI A – B (penalty)"),
        ({"fieldOfALaterVersion": 1, "minute": 7}, "PENDING_AI 7' home (penalty)"),
    ],
)
def test_what_is_not_known_is_left_out(known: dict[str, Any], line: str) -> None:
    """No line says None, and fields of a later version are no error."""
    assert highlight_line({**GOAL, **UNKNOWN, "status": "PENDING_AI", **known}) == line


def test_a_terminal_obeys_no_text() -> None:
    """Control characters are escaped."""
    line = highlight_line({**GOAL, "player": "\x1b[2JMessi", "title": "a\nb"})
    assert r"\x1b[2JMessi" in line
    assert r": a\nb | " in line
