import io

import pytest

from functions.shared.contract.event import Event
from local.process.console import StdoutConsole
from local.replay.arguments import SAMPLE
from local.replay.feed import events
from local.replay.formatting import EN_DASH, line
from local.replay.openfootball import read
from local.replay.posting import Accepted
from local.replay.progress import watching
from local.replay.report import Report
from tests.support.builders.events import id_of

GOALS = events(read(SAMPLE)[-1])
IDS = {goal: id_of(goal.match_id, str(goal.event_id)) for goal in GOALS}


def plain(text: str) -> str:
    """Return a text with its en dashes as hyphens."""
    return text.replace(EN_DASH, "-")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "23' Argentina 1-0 France, Lionel Messi (penalty)"),
        ({"event_type": "own_goal"}, "23' Argentina 1-0 France, Lionel Messi (own goal)"),
        ({"event_type": "goal", "added_time": 2}, "23+2' Argentina 1-0 France, Lionel Messi"),
        ({"event_type": "goal", "player": None}, "23' Argentina 1-0 France"),
        ({"event_type": "goal", "minute": None}, "Argentina 1-0 France, Lionel Messi"),
    ],
)
def test_a_goal_is_a_line_of_what_is_known(changes: dict[str, object], said: str) -> None:
    """Nothing that is unknown is said."""
    assert plain(line(GOALS[0].model_copy(update=changes))) == said


def test_a_complete_report_is_two_lines() -> None:
    """How many went in, how fast, and how many are READY."""
    ready = dict.fromkeys(IDS.values(), "READY")
    report = Report(GOALS, accepted=IDS, statuses=ready, seconds=[0.002] * 6, read_for=0.25)
    assert list(report.lines()) == [
        "6 of 6 goals went in, 6 posts accepted in 2 ms (median), 2 ms (p99)",
        "6 of 6 highlights are READY, 0.2 s after the last goal was posted",
    ]


def test_a_report_names_what_is_missing_and_why() -> None:
    """A refused goal has the refusal, one that went in its highlight's status."""
    first, second, *_ = GOALS
    report = Report(GOALS[:2], accepted={first: IDS[first]}, problems={second: "400 Bad Request"})
    report.statuses[IDS[first]] = "PENDING_AI"
    assert [plain(text) for text in report.lines()][-2:] == [
        "missing: 23' Argentina 1-0 France, Lionel Messi (penalty): PENDING_AI",
        "missing: 36' Argentina 2-0 France, Ángel Di María: 400 Bad Request",
    ]


def shown(*, terminal: bool) -> str:
    """Return what is shown of two goals, the second of which waits for a busy service."""
    output = io.StringIO()
    console = StdoutConsole(file=output, force_terminal=terminal, width=120)
    with watching(console, posts=2) as watcher:
        watcher.accepted(accepted(GOALS[0]))
        watcher.retrying(GOALS[1], "503 Service Unavailable", 1)
        watcher.retrying(GOALS[1], "503 Service Unavailable", 2)
        watcher.accepted(accepted(GOALS[1]))
        watcher.ready(0, 2)
        watcher.ready(2, 2)
        watcher.ready(2, 2)
    return plain(output.getvalue())


def accepted(goal: Event) -> Accepted:
    """Return the acceptance of a goal."""
    return Accepted(goal, IDS[goal], 0.002)


def test_plain_lines_say_each_thing_once() -> None:
    """A log has a line a goal, one for a trouble however often it comes, one for a new count."""
    assert shown(terminal=False).splitlines() == [
        "23' Argentina 1-0 France, Lionel Messi (penalty)",
        "again in 1.0 s: 36' Argentina 2-0 France, Ángel Di María: 503 Service Unavailable",
        "36' Argentina 2-0 France, Ángel Di María",
        "READY: 2 of 2",
    ]


def test_a_terminal_has_bars() -> None:
    """Both bars end full, and the last goal stands beside its own."""
    text = shown(terminal=True)
    assert "2/2" in text
    assert "READY" in text
    assert "Ángel Di María" in text
