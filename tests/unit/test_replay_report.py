import io

import pytest

from functions.shared.contract.event import Event
from local.process.console import StdoutConsole
from local.replay.arguments import SAMPLE
from local.replay.feed import events
from local.replay.formatting import EN_DASH, event_line
from local.replay.openfootball import read
from local.replay.posting import Accepted
from local.replay.progress import shown_progress
from local.replay.report import Report
from tests.support.builders.events import id_of

GOALS = events(read(SAMPLE)[-1])
IDS = {goal: id_of(goal.match_id, str(goal.event_id)) for goal in GOALS}


def plain(text: str) -> str:
    """Return a text with its en dashes as hyphens."""
    return text.replace(EN_DASH, "-")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "23' Argentina 1-0 France, Lionel Messi (penalty)"),
        ({"event_type": "own_goal"}, "23' Argentina 1-0 France, Lionel Messi (own goal)"),
        ({"event_type": "goal", "added_time": 2}, "23+2' Argentina 1-0 France, Lionel Messi"),
        ({"event_type": "goal", "player": None}, "23' Argentina 1-0 France"),
        ({"event_type": "goal", "minute": None}, "Argentina 1-0 France, Lionel Messi"),
    ],
)
def test_a_goal_is_a_line_of_its_known_facts(changes: dict[str, object], text: str) -> None:
    """Unknown facts are left out."""
    assert plain(event_line(GOALS[0].model_copy(update=changes))) == text


def test_a_complete_report_is_two_lines() -> None:
    """How many were accepted, how fast, and how many are READY."""
    ready = dict.fromkeys(IDS.values(), "READY")
    report = Report(
        GOALS, accepted=IDS, statuses=ready, response_times_s=[0.002] * 6, polled_s=0.25
    )
    assert list(report.lines()) == [
        "6 of 6 goals went in, 6 posts accepted in 2 ms (median), 2 ms (p99)",
        "6 of 6 highlights are READY, 0.2 s after the last goal was posted",
    ]


def test_a_report_names_each_missing_goal_and_the_reason() -> None:
    """A refused goal with the refusal, an accepted one with the status of its highlight."""
    first, second, *_ = GOALS
    report = Report(GOALS[:2], accepted={first: IDS[first]}, problems={second: "400 Bad Request"})
    report.statuses[IDS[first]] = "PENDING_AI"
    assert [plain(text) for text in report.lines()][-2:] == [
        "missing: 23' Argentina 1-0 France, Lionel Messi (penalty): PENDING_AI",
        "missing: 36' Argentina 2-0 France, Ángel Di María: 400 Bad Request",
    ]


def shown(*, terminal: bool) -> str:
    """Return the progress of two goals, the second of which waits for a busy service."""
    output = io.StringIO()
    console = StdoutConsole(file=output, force_terminal=terminal, width=120)
    with shown_progress(console, posts=2) as listener:
        listener.accepted(accepted(GOALS[0]))
        listener.retrying(GOALS[1], "503 Service Unavailable", 1)
        listener.retrying(GOALS[1], "503 Service Unavailable", 2)
        listener.accepted(accepted(GOALS[1]))
        listener.ready(0, 2)
        listener.ready(2, 2)
        listener.ready(2, 2)
    return plain(output.getvalue())


def accepted(goal: Event) -> Accepted:
    """Return the acceptance of a goal."""
    return Accepted(goal, IDS[goal], 0.002)


def test_plain_progress_prints_each_change_once() -> None:
    """A line for each goal, each new reason of a retry, and each new count."""
    assert shown(terminal=False).splitlines() == [
        "23' Argentina 1-0 France, Lionel Messi (penalty)",
        "again in 1.0 s: 36' Argentina 2-0 France, Ángel Di María: 503 Service Unavailable",
        "36' Argentina 2-0 France, Ángel Di María",
        "READY: 2 of 2",
    ]


def test_a_terminal_has_bars() -> None:
    """Both bars end full, with the last goal beside the first."""
    text = shown(terminal=True)
    assert "2/2" in text
    assert "READY" in text
    assert "Ángel Di María" in text
