"""Looking for changes: one look at the table for all clients of a process."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from functions.shared.concurrency.single_flight import SingleFlight
from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.errors import CursorExpired, Unavailable
from functions.shared.postgres.change_feed import ChangePage

log = logging.getLogger(__name__)

PAGE_SIZE: Final = 100


class ChangeSource(Protocol):
    """The part of the change feed that streams use."""

    async def read(
        self, after: ChangeCursor | None, filters: Mapping[str, Any], limit: int
    ) -> ChangePage:
        """Return changes after a place, or the present place."""


class ChangeListener(Protocol):
    """Tells that there may be changes."""

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever there may be changes, until it is cancelled."""


class Audience(Protocol):
    """Those for whom the feed is read."""

    def begin_at(self, cursor: ChangeCursor) -> None:
        """Expect the changes after this place, and forget those before: they may be others now."""

    def publish(self, page: ChangePage) -> None:
        """Take the next changes."""

    async def drained(self) -> None:
        """Return when the audience can take another page."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """The seconds between looks."""

    longest: float = 0.9  # so that a change is told within a second, even if nothing wakes us
    held_back: float = 0.01  # while a change is held back; doubled each time, up to the longest
    pause: float = 0.02  # after a look: the next one finds the changes of all that wakes us by then


class FeedWatcher:
    """Reads the change feed from its present place on, while it is started.

    It looks when it is woken, and at least once a second.
    """

    def __init__(
        self,
        feed: ChangeSource,
        audience: Audience,
        listener: ChangeListener | None = None,
        intervals: Intervals = Intervals(),
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._feed = feed
        self._audience = audience
        self._listener = listener
        self._intervals = intervals
        self._page_size = page_size
        self._cursor: ChangeCursor | None = None
        self._looks: SingleFlight[ChangePage] = SingleFlight()
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_failing = False

    @property
    def cursor(self) -> ChangeCursor | None:
        """The place up to which changes have been read; None before the first look."""
        return self._cursor

    def start(self) -> None:
        """Begin to look, from where it stopped."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._watch())]
        if self._listener is not None:
            self._tasks.append(loop.create_task(self._listener.listen(self.wake)))

    def stop(self) -> None:
        """Look no more."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    def forget(self) -> None:
        """Have the next look begin at the present place."""
        self._cursor = None

    def wake(self) -> None:
        """Look now: there may be changes."""
        self._woken.set()

    async def look(self) -> ChangeCursor:
        """Return the place that a look has reached which began after this call.

        Raises:
            Unavailable: the database is.
        """
        return (await self._looks.run("", self._look)).cursor

    async def _watch(self) -> None:
        wait_s = self._intervals.held_back
        while True:
            self._woken.clear()  # what wakes us during a look may have come too late for it
            page = await self._look_or_log()
            if page and page.has_more:
                await self._audience.drained()
                continue
            await asyncio.sleep(self._intervals.pause)
            is_held_back = page is not None and page.held_back
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s if is_held_back else self._intervals.longest):
                    await self._woken.wait()
            doubled_s = min(2 * wait_s, self._intervals.longest)
            wait_s = doubled_s if is_held_back else self._intervals.held_back

    async def _look_or_log(self) -> ChangePage | None:
        try:
            page = await self._looks.run("", self._look)
        except Unavailable as error:
            if not self._is_failing:
                log.warning("the changes cannot be read", extra={"fields": {"error": str(error)}})
            self._is_failing = True
            return None
        except Exception:  # whatever it is, clients stay, and the next look may succeed
            log.exception("unexpected error")
            return None
        if self._is_failing:
            log.info("the changes can be read again")
        self._is_failing = False
        return page

    async def _look(self) -> ChangePage:
        try:
            page = await self._feed.read(self._cursor, {}, self._page_size)
        except CursorExpired:
            page = await self._feed.read(None, {}, self._page_size)
            self._cursor = None
        if self._cursor is None:
            self._audience.begin_at(page.cursor)
        self._cursor = page.cursor
        self._audience.publish(page)
        return page
