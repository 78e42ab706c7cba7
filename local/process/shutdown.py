"""Signals that ask a process to stop: as an event, or as an exception that comes once."""

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def event_on_signals() -> threading.Event:
    """Return an event that SIGTERM and Ctrl-C set from now on, instead of ending the process."""
    stopping = threading.Event()

    def stop(*_: object) -> None:
        # In a thread: the interrupted one may hold the event's lock.
        _thread.start_new_thread(stopping.set, ())

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    return stopping


@contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt in the body on the first Ctrl-C, SIGTERM or SIGHUP; ignore the rest.

    So an impatient second Ctrl-C does not cut short the clean-up, which has its own time limits.
    """
    before = {signum: signal.signal(signum, _interrupt) for signum in INTERRUPTS}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    for signum in INTERRUPTS:
        # Not SIG_IGN: a child would inherit that.
        signal.signal(signum, lambda _signum, _frame: None)
    raise KeyboardInterrupt
