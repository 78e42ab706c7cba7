"""Waiting for a condition with a time limit."""

import time
from collections.abc import Callable

LIMIT_S = 30


def eventually(condition: Callable[[], bool], within_s: float = LIMIT_S) -> None:
    """Wait until the condition holds; fail the test if it does not within the limit."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.01)
