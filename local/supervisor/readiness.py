"""Waits until a process does its work."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from local.supervisor.command import Run

if TYPE_CHECKING:
    from local.supervisor.process import Process

POLL_S = 0.02
HOPELESS_STARTS = 4
LAST_LINES = 12


class NotReady(Exception):
    """A process did not come up; the message ends with what its log said last."""


def wait_ready(
    process: "Process",
    limit: float,
    *,
    until: Callable[[Run], bool] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Return as soon as a process is ready, or has come as far as `until`.

    Raises:
        NotReady: it was not within `limit` seconds, or died again and again, or `cancelled`.
    """
    hopeless, deadline = process.starts + HOPELESS_STARTS, time.monotonic() + limit
    while not process.is_ready(until):
        if process.is_over() and not process.is_ready(until):
            raise _not_ready(process, "failed")
        if cancelled():
            raise NotReady(f"{process.name} is not waited for: all is being stopped")
        if process.starts >= hopeless:
            raise _not_ready(process, "does not start")
        if time.monotonic() > deadline:
            raise _not_ready(process, f"is not ready after {limit:g} s")
        time.sleep(POLL_S)


def _not_ready(process: "Process", why: str) -> NotReady:
    if error := process.spawn_error:
        why = f"{error.strerror}: {error.filename or process.command.arguments[0]}"
        return NotReady(f"{process.name} could not be started: {why}")
    lines = process.log.read_text(errors="replace").splitlines()
    # What each of its starts has said again is said once.
    tail = reversed(list(dict.fromkeys(reversed(lines)))[:LAST_LINES])
    return NotReady("\n  ".join([f"{process.name} {why}; {process.log} ends with", *tail]))
