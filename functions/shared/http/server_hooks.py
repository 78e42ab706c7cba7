"""What a response that lasts needs of its server: to know of the shutdown, and to drop a client."""

from collections.abc import Callable
from typing import Final

# In a request's state: drops its connection, with what the client has not taken yet.
ABORT: Final = "abort_connection"

_callbacks: list[Callable[[], None]] = []


def on_shutdown(callback: Callable[[], None]) -> None:
    """Have a function called when the server begins to shut down; perhaps several times."""
    _callbacks.append(callback)


def announce_shutdown() -> None:
    """Call these functions: the server waits for all responses that have begun."""
    for callback in _callbacks:
        callback()
