"""Cron as a process."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers.function_server import FunctionServer, Reply
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]


@contextmanager
def cron(crontab: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Cron, running on a crontab in which `${URL}` is this one."""
    command = [sys.executable, "-m", "local.cron", str(crontab)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "URL": url}) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_job_never_has_two_calls_at_a_time_and_delays_no_other(tmp_path: Path) -> None:
    """While a slow call lasts, its job is skipped, and the other job runs."""
    crontab = tmp_path / "crontab"
    crontab.write_text("* * * * * * slow ${URL}slow\n* * * * * * fast ${URL}fast\n")
    release = threading.Event()

    def reply(request: object) -> Reply:
        if "slow" in str(request):
            release.wait(20)
        return Reply()

    with FunctionServer(reply) as function, cron(crontab, function.url):

        def calls(path: str) -> int:
            return [request.path for request in function.requests].count(path)

        eventually(lambda: calls("/fast") >= 3)
        assert calls("/slow") == 1
        release.set()
        eventually(lambda: calls("/slow") >= 2)


def test_it_stops_promptly_even_while_a_call_lasts(tmp_path: Path) -> None:
    """SIGTERM ends it with status 0."""
    crontab = tmp_path / "crontab"
    crontab.write_text("* * * * * * slow ${URL}\n")
    release = threading.Event()

    def reply(_: object) -> Reply:
        release.wait(20)
        return Reply()

    with FunctionServer(reply) as function, cron(crontab, function.url) as process:
        eventually(lambda: bool(function.requests))
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 3
        release.set()


def test_a_bad_crontab_stops_the_start(tmp_path: Path) -> None:
    """One line on standard error, and exit status 2."""
    crontab = tmp_path / "crontab"
    crontab.write_text("* * * * sweep http://f\n")
    command = [sys.executable, "-m", "local.cron", str(crontab)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert f"{crontab}: line 1: " in ended.stderr
