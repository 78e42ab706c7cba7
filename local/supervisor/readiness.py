"""Waiting until a process is ready."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from local.supervisor.command import Command, Run

POLL_S = 0.02
MAX_STARTS = 4
LAST_LINES = 12


class NotReady(Exception):
    """A process did not become ready; the message ends with the last lines of its log."""


class Startable(Protocol):
    """The process that is waited for."""

    command: Command
    log: Path
    starts: int
    spawn_error: OSError | None  # of the last start

    def is_ready(self, until: Callable[[Run], bool] | None = None) -> bool:
        """Return whether it is ready, or fulfils `until`."""

    def has_ended(self) -> bool:
        """Return whether it does not run and will not be restarted."""


def wait_ready(
    process: Startable,
    timeout_s: float,
    *,
    until: Callable[[Run], bool] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Return as soon as a process is ready, or fulfils `until`.

    Raises:
        NotReady: not within `timeout_s` seconds, or it died again and again, or `cancelled`.
    """
    max_starts, deadline = process.starts + MAX_STARTS, time.monotonic() + timeout_s
    while not process.is_ready(until):
        if process.has_ended() and not process.is_ready(until):
            raise _not_ready(process, "failed")
        if cancelled():
            raise NotReady(f"{process.command.name} is not waited for: all is being stopped")
        if process.starts >= max_starts:
            raise _not_ready(process, "does not start")
        if time.monotonic() > deadline:
            raise _not_ready(process, f"is not ready after {timeout_s:g} s")
        time.sleep(POLL_S)


def _not_ready(process: Startable, why: str) -> NotReady:
    if error := process.spawn_error:
        why = f"{error.strerror}: {error.filename or process.command.arguments[0]}"
        return NotReady(f"{process.command.name} could not be started: {why}")
    lines = process.log.read_text(errors="replace").splitlines()
    # A line that each start has logged again is shown once.
    tail = reversed(list(dict.fromkeys(reversed(lines)))[:LAST_LINES])
    return NotReady("\n  ".join([f"{process.command.name} {why}; {process.log} ends with", *tail]))
