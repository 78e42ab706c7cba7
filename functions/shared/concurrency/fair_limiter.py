"""Turns at a small pool of workers: in order of arrival, with a bounded wait."""

import asyncio
import threading
from collections import deque
from dataclasses import dataclass

from functions.shared.errors import TooBusy


@dataclass(eq=False, slots=True)
class _Waiting:
    heavy: bool
    loop: asyncio.AbstractEventLoop
    granted: asyncio.Future[None]
    is_granted: bool = False


class FairLimiter:
    """At most `size` turns at once, and no more than half of them for heavy work.

    So a dozen heavy calls never keep a light one waiting for them. Turns may be given back in any
    thread, and asked for from any event loop.
    """

    def __init__(self, size: int, *, wait_s: float) -> None:
        self._free = size
        self._free_heavy = max(1, size // 2)
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()

    async def take(self, *, heavy: bool) -> None:
        """Take a turn, which is to be given back.

        Raises:
            TooBusy: none came up in time.
        """
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._fits(heavy):  # nobody waits for a turn that there is
                self._count(heavy, -1)
                return
            waiting = _Waiting(heavy, loop, loop.create_future())
            self._queue.append(waiting)
        try:
            await asyncio.wait_for(waiting.granted, self._wait_s)
        except TimeoutError:
            if not self._leave(waiting):  # else it came up in the last moment
                raise TooBusy("The database has too much to do.") from None
        except asyncio.CancelledError:
            if self._leave(waiting):
                self.give_back(heavy=heavy)
            raise

    def give_back(self, *, heavy: bool) -> None:
        """Give a turn back, to whoever has waited longest of those that it is for."""
        with self._lock:
            self._count(heavy, 1)
            while waiting := self._next():
                self._queue.remove(waiting)
                self._grant(waiting)

    def _next(self) -> _Waiting | None:
        if not self._free:
            return None
        return next((waiting for waiting in self._queue if self._fits(waiting.heavy)), None)

    def _fits(self, heavy: bool) -> bool:
        return self._free > 0 and (self._free_heavy > 0 or not heavy)

    def _count(self, heavy: bool, change: int) -> None:
        self._free += change
        self._free_heavy += change if heavy else 0

    def _grant(self, waiting: _Waiting) -> None:
        try:
            waiting.loop.call_soon_threadsafe(_wake, waiting.granted)
        except RuntimeError:  # its event loop has been closed, and the caller with it
            return
        waiting.is_granted = True
        self._count(waiting.heavy, -1)

    def _leave(self, waiting: _Waiting) -> bool:
        """Wait no longer; returns whether the turn was granted meanwhile."""
        with self._lock:
            if not waiting.is_granted and waiting in self._queue:
                self._queue.remove(waiting)
            return waiting.is_granted


def _wake(granted: asyncio.Future[None]) -> None:
    if not granted.done():
        granted.set_result(None)
