"""Nothing that a test starts outlives the run of the tests, whoever its parent is by then.

What a test starts has the run's mark in its environment, and so has what that starts. Only those
are not seen that hide their environment: processes of another user, and on macOS the system's own
programs.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from functools import wraps
from typing import Any
from uuid import uuid4

import psutil
import pytest

MARK = "GOALSTREAM_RUN_OF_TESTS"
ENDS_WITHIN_S = 1  # of one that was told to end, and whose end nobody waited for
TEST = "PYTEST_CURRENT_TEST"  # pytest's own: the test that runs


def pytest_configure(config: pytest.Config) -> None:
    """Mark all that is started from now on, also with an environment of its own."""
    if not hasattr(config, "workerinput"):
        os.environ[MARK] = uuid4().hex
    hand_down(MARK)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Name what is left when all fixtures and workers have ended, end it, and fail the run."""
    yield
    if hasattr(session.config, "workerinput"):
        return
    _, left = psutil.wait_procs(list(_marked(os.environ[MARK])), timeout=ENDS_WITHIN_S)
    for process in left:
        try:
            with process.oneshot():
                words = " ".join(process.cmdline())
                told = f"{process.pid}: {words}, started by {_test_of(process)}"
            process.kill()
        except psutil.NoSuchProcess:  # it has ended meanwhile
            continue
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        session.config.get_terminal_writer().line(f"LEFT BEHIND by a test: {told}", red=True)


def hand_down(variable: str) -> None:
    """Give this variable as it is now to all that is started, whatever environment that gets."""
    mark = {variable: os.environ[variable]}
    start: Any = subprocess.Popen.__init__

    @wraps(start)
    def marked(*arguments: Any, env: Mapping[str, str] | None = None, **more: Any) -> None:
        start(*arguments, env=None if env is None else {**env, **mark}, **more)

    setattr(subprocess.Popen, "__init__", marked)  # noqa: B010 - mypy lets nobody assign it


def _marked(mark: str) -> Iterator[psutil.Process]:
    """The living processes with this mark, but for this one."""
    for process in psutil.process_iter():
        try:
            if (
                process.environ().get(MARK) == mark
                and process.status() != psutil.STATUS_ZOMBIE
                and process.pid != os.getpid()
            ):
                yield process
        except psutil.Error:  # it has ended, or is another user's
            continue


def _test_of(process: psutil.Process) -> str:
    """The test, or the fixture's first test, in which a process was started, if it tells."""
    return str(process.environ().get(TEST, "a test that gave it another environment"))
