"""The end that an operator asks for."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local.process import shutdown
from tests.support.waiting import eventually


@contextmanager
def handlers_restored() -> Iterator[None]:
    """Afterwards signals do what they did before."""
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_may_come_while_the_event_is_being_looked_at(number: signal.Signals) -> None:
    """The thread that it interrupts may hold the event's lock just then."""
    with handlers_restored():
        asked_to_stop = shutdown.on_signals()
        with asked_to_stop._cond:  # type: ignore[attr-defined]
            signal.raise_signal(number)
        eventually(asked_to_stop.is_set)
