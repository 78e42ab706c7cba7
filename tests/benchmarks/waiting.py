"""Waiting for a condition."""

import time
from collections.abc import Callable

LIMIT_S = 120
POLL_S = 0.01


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as it holds.

    Raises:
        TimeoutError: it did not within two minutes.
    """
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what was posted did not arrive")
        time.sleep(POLL_S)
