"""A pytest plugin that fails a run which leaves processes behind, orphans included.

Processes that a test starts inherit the run's mark in their environment, as do their children.
Processes with an unreadable environment are missed: those of another user, and on macOS the
system's own programs.
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
ENDS_WITHIN_S = 1  # of a process that was stopped without waiting for its end
TEST = "PYTEST_CURRENT_TEST"  # pytest's own: the test that runs


def pytest_configure(config: pytest.Config) -> None:
    """Mark all processes that are started from now on, also those with another environment."""
    if not hasattr(config, "workerinput"):
        os.environ[MARK] = uuid4().hex
    export_variable(MARK)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Report and kill processes that outlive all fixtures and workers, and fail the run."""
    yield
    if hasattr(session.config, "workerinput"):
        return
    _, left = psutil.wait_procs(list(_marked(os.environ[MARK])), timeout=ENDS_WITHIN_S)
    for process in left:
        try:
            with process.oneshot():
                words = " ".join(process.cmdline())
                description = f"{process.pid}: {words}, started by {_test_of(process)}"
            process.kill()
        except psutil.NoSuchProcess:  # it has ended meanwhile
            continue
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        session.config.get_terminal_writer().line(f"LEFT BEHIND by a test: {description}", red=True)


def export_variable(variable: str) -> None:
    """Pass this variable to all child processes, whatever environment they are given."""
    mark = {variable: os.environ[variable]}
    start: Any = subprocess.Popen.__init__

    @wraps(start)
    def marked(*arguments: Any, env: Mapping[str, str] | None = None, **more: Any) -> None:
        start(*arguments, env=None if env is None else {**env, **mark}, **more)

    setattr(subprocess.Popen, "__init__", marked)  # noqa: B010 - mypy lets nobody assign it


def _marked(mark: str) -> Iterator[psutil.Process]:
    """Yield the running processes with this mark, except this one."""
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
    """Return the test, or the fixture's first test, that started a process, if known."""
    return str(process.environ().get(TEST, "a test that gave it another environment"))
