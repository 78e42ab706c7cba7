"""Signals that ask a process to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.process import shutdown
from tests.support.waiting import eventually


@contextmanager
def handlers_restored() -> Iterator[None]:
    """Restore the handlers of the signals."""
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_may_arrive_while_the_event_is_locked(number: signal.Signals) -> None:
    """The thread that it interrupts may hold the event's lock."""
    with handlers_restored():
        stopping = shutdown.event_on_signals()
        with stopping._cond:  # type: ignore[attr-defined]
            signal.raise_signal(number)
        eventually(stopping.is_set)
