"""Cron: reading a crontab, and calling its jobs when they are due."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Event

import httpx
import pytest

from local.cron.command import main
from local.cron.crontab import CrontabError, Job, parse
from local.cron.jobs import call_when_due, post

NOON = datetime(2022, 12, 18, 12, 0, 0, tzinfo=UTC)
EVERY_5_S = Job("*/5 * * * * *", "sweep", "http://f")


class CallRecorder:
    """A clock that advances with each wait and call, and the calls that were made."""

    def __init__(self, now: datetime = NOON, call_takes_s: float = 0.1, calls: int = 3) -> None:
        self.now = now
        self.call_takes_s = call_takes_s
        self.calls_left = calls
        self.calls: list[datetime] = []
        self.waits: list[float] = []

    def clock(self) -> datetime:
        """The time."""
        return self.now

    def wait(self, seconds: float) -> bool:
        """Advance the clock; stop after enough calls."""
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)
        return self.calls_left == 0

    def call(self, _: Job) -> None:
        """Record the call, and advance the clock."""
        self.calls.append(self.now)
        self.calls_left -= 1
        self.now += timedelta(seconds=self.call_takes_s)

    def run(self, job: Job) -> list[float]:
        """Call a job a few times; return when, in seconds after noon."""
        call_when_due(job, self.call, self.clock, self.wait)
        return [(each - NOON).total_seconds() for each in self.calls]


def test_a_job_is_called_when_it_is_due() -> None:
    """Seconds come first where there are six fields."""
    assert CallRecorder().run(EVERY_5_S) == [5, 10, 15]
    assert CallRecorder().run(Job("*/5 * * * *", "sweep", "http://f")) == [300, 600, 900]


def test_a_start_between_two_times_waits_for_the_next() -> None:
    """Nothing is called at the start."""
    assert CallRecorder(now=NOON + timedelta(seconds=1.25)).run(EVERY_5_S) == [5, 10, 15]


def test_a_call_that_is_overdue_is_skipped() -> None:
    """A call that takes 12 s is not followed by those that it held up."""
    assert CallRecorder(call_takes_s=12).run(EVERY_5_S) == [5, 20, 35]
    assert CallRecorder(call_takes_s=5).run(EVERY_5_S) == [5, 15, 25]


def test_a_wait_that_ends_early_calls_nothing_early() -> None:
    """Waiting is repeated until the time has come."""
    recorder = CallRecorder()
    wait = recorder.wait
    early: Callable[[float], bool] = lambda seconds: wait(seconds * 0.9 if seconds > 0.01 else 1)  # noqa: E731
    call_when_due(EVERY_5_S, recorder.call, recorder.clock, early)
    assert all(call >= NOON + timedelta(seconds=5) for call in recorder.calls)
    assert all(later - call >= timedelta(seconds=4) for call, later in pairwise(recorder.calls))


def test_a_change_of_the_clock_is_noticed_within_a_minute() -> None:
    """No wait is longer, however far away the next call is."""
    recorder = CallRecorder(calls=1)
    assert recorder.run(Job("0 18 * * *", "daily", "http://f")) == [6 * 3600]
    assert max(recorder.waits) == 60


def test_a_clock_that_is_set_back_delays_no_job() -> None:
    """A job that was due at the old time is due again, without waiting an hour."""
    recorder = CallRecorder(calls=1)

    def wait(seconds: float) -> bool:
        stop = recorder.wait(seconds)
        if len(recorder.waits) == 1:
            recorder.now -= timedelta(hours=1)
        return stop

    call_when_due(EVERY_5_S, recorder.call, recorder.clock, wait)
    assert recorder.calls[0] < NOON


def test_times_are_utc() -> None:
    """A job that is due at 13 o'clock is due an hour after noon in UTC."""
    assert CallRecorder(calls=1).run(Job("0 13 * * *", "daily", "http://f")) == [3600]


def test_a_crontab_has_comments_blank_lines_and_variables() -> None:
    """Words are separated by any white space."""
    text = """
    # a comment
    */5 * * * * *   sweep  ${URL}
\t0 4 * * MON-FRI\tdaily\t${OTHER:-http://other:80/x}

    """
    assert parse(text, {"URL": "http://f/?a=1"}) == [
        Job("*/5 * * * * *", "sweep", "http://f/?a=1"),
        Job("0 4 * * MON-FRI", "daily", "http://other:80/x"),
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("* * * * sweep http://f", "has 6 words"),
        ("* * * * * * * sweep http://f", "has 9 words"),
        ("* * * * * http://f", "has 6 words"),
        ("61 * * * * sweep http://f", "out of range"),
        ("*/0 * * * * sweep http://f", "step"),
        ("x * * * * sweep http://f", "not acceptable"),
        ("0 0 31 2 * sweep http://f", "find next date"),
        ("* * * * * sweep ${URL}", "environment variable URL is not set"),
        ("* * * * * sweep f:80", "no http:// or https:// address"),
        ("* * * * * sweep http://", "no http:// or https:// address"),
        ("* * * * * sweep http://f:x/", "no http:// or https:// address"),
        ("* * * * * sweep http://a..b/", "no http:// or https:// address"),
        (f"* * * * * sweep http://{'a' * 64}.example/", "no http:// or https:// address"),
    ],
)
def test_a_bad_line_stops_the_start_with_its_number_and_the_reason(line: str, why: str) -> None:
    """No job of a crontab with an invalid line runs."""
    with pytest.raises(CrontabError, match=f"^line 3: .*{why}"):
        parse(f"# one\n* * * * * good http://f\n{line}\n", {})


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_a_crontab_without_lines_stops_the_start(text: str) -> None:
    """A cron that calls nothing is a mistake."""
    with pytest.raises(CrontabError, match="no line"):
        parse(text, {})


def outcome(
    caplog: pytest.LogCaptureFixture, reply: Callable[[httpx.Request], httpx.Response]
) -> tuple[int, dict[str, object]]:
    """The level and the fields of what is logged of one call."""
    caplog.set_level(logging.INFO, "local.cron")
    with httpx.Client(transport=httpx.MockTransport(reply)) as client:
        post(client, EVERY_5_S)
    [record] = [each for each in caplog.records if each.name == "local.cron"]
    fields = dict(record.__dict__["fields"])
    assert isinstance(fields.pop("duration_ms"), int)
    return record.levelno, fields


def test_the_outcome_of_a_call_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Status and JSON of the response; the call is a POST without a body."""

    def reply(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.content) == ("POST", b"")
        return httpx.Response(200, json={"claimed": 2})

    assert outcome(caplog, reply) == (
        logging.INFO,
        {"name": "sweep", "status": 200, "answer": {"claimed": 2}},
    )


@pytest.mark.parametrize("body", [b"", b"busy", b"\xff", b"x" * 10_000])
def test_a_failure_is_a_warning(caplog: pytest.LogCaptureFixture, body: bytes) -> None:
    """The first 500 characters of a response that is not JSON are quoted."""
    level, fields = outcome(caplog, lambda _: httpx.Response(503, content=body))
    assert (level, fields["status"]) == (logging.WARNING, 503)
    assert len(str(fields["answer"])) <= 500


def test_a_call_that_cannot_be_made_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Cron goes on after any error of a call."""

    def reply(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("")

    assert outcome(caplog, reply) == (
        logging.WARNING,
        {"name": "sweep", "error": "ReadTimeout"},
    )


@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "inf", "soon"])
def test_a_wrong_time_out_stops_the_start(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is reported once, rather than at each call."""
    with pytest.raises(SystemExit) as ended:
        main(Event(), ["crontab", "--timeout", seconds])
    assert ended.value.code == 2
    assert f"'{seconds}' is not a number of seconds above 0" in capsys.readouterr().err
