"""The end that an operator asks for."""

import _thread
import signal
import threading


def on_signals() -> threading.Event:
    """An event that SIGTERM and Ctrl-C set from now on, instead of ending the process."""
    stopping = threading.Event()

    def stop(*_: object) -> None:
        """In a thread: the one that is interrupted may hold the event's lock."""
        _thread.start_new_thread(stopping.set, ())

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping
