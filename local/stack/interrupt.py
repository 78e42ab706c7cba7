"""Ctrl-C, SIGTERM and a closed terminal, as one exception that comes once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the body the first of these signals raises KeyboardInterrupt; later ones do nothing.

    So an impatient second Ctrl-C does not cut the stopping short, which has its limits anyway.
    """
    before = {signum: signal.signal(signum, _interrupt) for signum in SIGNALS}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    for signum in SIGNALS:
        # Not SIG_IGN: a child would inherit that.
        signal.signal(signum, lambda _signum, _frame: None)
    raise KeyboardInterrupt
