"""The demo's scoreboard."""

import io

import pytest
from rich.console import Console

from local.replay.formatting import EN_DASH
from local.stack.scoreboard import HighlightRow, scoreboard

HIGHLIGHT = {
    "title": "Ángel Di María doubles the lead",
    "summary": f"Argentina lead France 2{EN_DASH}0.",
    "minute": 36,
    "addedTime": None,
    "homeScore": 2,
    "awayScore": 0,
}


@pytest.mark.parametrize(
    ("minute", "added", "shown"),
    [(36, None, "36'"), (45, 2, "45+2'"), (None, None, ""), (0, 0, "0'")],
)
def test_a_row_shows_added_time_and_leaves_out_an_unknown_minute(
    minute: int | None, added: int | None, shown: str
) -> None:
    """45+2 is not 47, and an unknown minute is no text."""
    row = HighlightRow.of({**HIGHLIGHT, "minute": minute, "addedTime": added}, seconds=0.0123)
    assert row.minute == shown
    assert (row.score, row.milliseconds) == (f"2{EN_DASH}0", 12)


def test_a_row_without_a_score_has_none() -> None:
    """A feed may have no score."""
    assert (
        HighlightRow.of({**HIGHLIGHT, "homeScore": None, "awayScore": None}, seconds=0).score == ""
    )


@pytest.mark.parametrize("terminal", [True, False])
def test_a_scoreboard_shows_every_row_on_a_terminal_and_elsewhere(terminal: bool) -> None:
    """The same facts in a table and in plain lines."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=200)
    with scoreboard(console, "the final") as board:
        board.add(HighlightRow.of(HIGHLIGHT, seconds=0.012))
    for text in (
        "the final",
        "36'",
        f"2{EN_DASH}0",
        "Ángel Di María doubles the lead",
        f"2{EN_DASH}0.",
        "12 ms",
    ):
        assert text in out.getvalue()
