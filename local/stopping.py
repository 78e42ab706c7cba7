"""The end that an operator asks for."""

import signal
import threading


def on_signals() -> threading.Event:
    """An event that SIGTERM and Ctrl-C set from now on, instead of ending the process."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping
