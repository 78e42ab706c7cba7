"""A limit of concurrent calls: first in, first out, with a bounded wait."""

import asyncio
import threading
from collections import deque
from dataclasses import dataclass

from functions.shared.errors import TooBusy


@dataclass(eq=False, slots=True)
class _Waiter:
    heavy: bool
    loop: asyncio.AbstractEventLoop
    granted: asyncio.Future[None]
    is_granted: bool = False


class FairLimiter:
    """A semaphore of `size` slots, of which heavy calls hold half at most.

    So a dozen heavy calls never keep a light one waiting. A slot may be acquired from any event
    loop and released in any thread.
    """

    def __init__(self, size: int, *, wait_s: float) -> None:
        self._free = size
        self._free_heavy = max(1, size // 2)
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._waiters: deque[_Waiter] = deque()

    async def acquire(self, *, heavy: bool) -> None:
        """Acquire a slot, which the caller has to release.

        Raises:
            TooBusy: no slot became free within `wait_s` seconds.
        """
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._has_slot(heavy):  # a waiter never waits for a free slot
                self._add_free(heavy, -1)
                return
            waiter = _Waiter(heavy, loop, loop.create_future())
            self._waiters.append(waiter)
        try:
            await asyncio.wait_for(waiter.granted, self._wait_s)
        except TimeoutError:
            if not self._stop_waiting(waiter):  # else the slot came at the last moment
                raise TooBusy("The database has too much to do.") from None
        except asyncio.CancelledError:
            if self._stop_waiting(waiter):
                self.release(heavy=heavy)
            raise

    def release(self, *, heavy: bool) -> None:
        """Release a slot to the first waiter that may have it."""
        with self._lock:
            self._add_free(heavy, 1)
            while waiter := self._next_waiter():
                self._waiters.remove(waiter)
                self._grant(waiter)

    def _next_waiter(self) -> _Waiter | None:
        if not self._free:
            return None
        return next((waiter for waiter in self._waiters if self._has_slot(waiter.heavy)), None)

    def _has_slot(self, heavy: bool) -> bool:
        return self._free > 0 and (self._free_heavy > 0 or not heavy)

    def _add_free(self, heavy: bool, change: int) -> None:
        self._free += change
        self._free_heavy += change if heavy else 0

    def _grant(self, waiter: _Waiter) -> None:
        try:
            waiter.loop.call_soon_threadsafe(_wake, waiter.granted)
        except RuntimeError:  # its event loop has been closed, and the caller with it
            return
        waiter.is_granted = True
        self._add_free(waiter.heavy, -1)

    def _stop_waiting(self, waiter: _Waiter) -> bool:
        """Leave the queue; return whether a slot was granted meanwhile."""
        with self._lock:
            if not waiter.is_granted and waiter in self._waiters:
                self._waiters.remove(waiter)
            return waiter.is_granted


def _wake(granted: asyncio.Future[None]) -> None:
    if not granted.done():
        granted.set_result(None)
