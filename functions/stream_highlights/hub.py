"""The clients of a process' streams, and what they are all sent."""

import asyncio
import random
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.errors import TooBusy, Unavailable
from functions.shared.postgres.change_feed import ChangePage
from functions.stream_highlights.feed_watcher import (
    PAGE_SIZE,
    ChangeListener,
    ChangeSource,
    FeedWatcher,
    Intervals,
)
from functions.stream_highlights.recent_events import RecentEvents
from functions.stream_highlights.settings import StreamHighlightsSettings
from functions.stream_highlights.subscription import Event, Subscription

CATCH_UPS_AT_ONCE: Final = 2  # the connections to Postgres that those who catch up keep busy
DRAIN_S: Final = 0.25  # what clients are waited for before they are sent another page
SHUTDOWN_GRACE_S: Final = 0.5
AGE: Final = "connect again"
SHUTDOWN: Final = "the server shuts down"


@dataclass(frozen=True, slots=True)
class Timing:
    """The seconds between what a hub does now and then."""

    looks: Intervals = field(default_factory=Intervals)
    sweep: float = 1.0
    heartbeat: float = 14.0  # after the last event, and before the next sweep
    keep: float = 60.0  # for which recent events are kept when the last client has left


class ChangeHub:
    """Sends each change to all clients that follow it, rendered once in each of their languages.

    While there are no clients the table is not looked at.
    """

    def __init__(
        self,
        feed: ChangeSource,
        settings: StreamHighlightsSettings,
        listener: ChangeListener | None = None,
        timing: Timing = Timing(),
    ) -> None:
        self._feed = feed
        self._timing = timing
        self._max_clients = settings.stream_max_clients
        self._max_age_s = settings.stream_max_age_s
        self._backlog = settings.stream_backlog
        half = self._backlog // 2  # so that who is sent so many at once is not too slow yet
        self._page_size = min(PAGE_SIZE, half)
        self._recent = RecentEvents(half)
        self._watcher = FeedWatcher(feed, self, listener, timing.looks, self._page_size)
        self._clients: set[Subscription] = set()
        self._joined: dict[Hashable, set[Subscription]] = {}  # by their filters
        self._catch_ups = asyncio.Semaphore(CATCH_UPS_AT_ONCE)
        self._sweeper: asyncio.TimerHandle | None = None
        self._stopped_at: float | None = None
        self._is_closed = False

    @property
    def cursor(self) -> ChangeCursor | None:
        """The place up to which changes have been read; None before the first look."""
        return self._watcher.cursor

    def connect(self, filters: Mapping[str, Any], language: str | None = None) -> Subscription:
        """Count a client in; it has to `join`, and at last to `disconnect`.

        Raises:
            TooBusy: there are as many clients as there may be.
            Unavailable: the process shuts down.
        """
        if self._is_closed:
            raise Unavailable("The server shuts down.")
        if len(self._clients) >= self._max_clients:
            raise TooBusy(
                "As many clients as can be served follow the highlights already.",
                retry_after_s=random.randint(5, 15),  # noqa: S311 (it is no secret)
            )
        age_s = self._max_age_s * random.uniform(0.5, 1)  # noqa: S311 (it is no secret)
        ends_at = asyncio.get_running_loop().time() + age_s
        subscription = Subscription(filters, self._backlog, ends_at, language)
        if not self._clients:
            self._start()
        self._clients.add(subscription)
        return subscription

    def disconnect(self, subscription: Subscription) -> None:
        """Count a client out."""
        self._clients.discard(subscription)
        key = _key(subscription.filters)
        if key in self._joined:
            self._joined[key].discard(subscription)
            if not self._joined[key]:
                del self._joined[key]
        if not self._clients:
            self._stop()

    async def look(self) -> ChangeCursor:
        """Return the place that a look at the table has reached which began after this call.

        Raises:
            Unavailable: the database is.
        """
        return await self._watcher.look()

    async def read(self, after: ChangeCursor, filters: Mapping[str, Any]) -> ChangePage:
        """Return a page of the feed for one client; few are read at once, each in its turn.

        Raises:
            CursorExpired: the place is of another epoch.
            Unavailable: the database is.
        """
        async with self._catch_ups:
            return await self._feed.read(after, filters, self._page_size)

    def reaches(self, position: ChangeCursor) -> bool:
        """Return whether a client can join after a place."""
        return self._recent.reach(position)

    def join(self, subscription: Subscription, position: ChangeCursor) -> bool:
        """Have a client sent everything after a place; return False if that is too far back."""
        cursor = self._watcher.cursor
        if cursor is None or not self._recent.reach(position):
            return False
        subscription.position = position
        subscription.put(self._recent.after(position, subscription.filters))
        subscription.be_ready(cursor)
        self._joined.setdefault(_key(subscription.filters), set()).add(subscription)
        return True

    def close(self) -> None:
        """End all streams, and accept no more clients."""
        self._is_closed = True
        for subscription in self._clients:
            subscription.end(SHUTDOWN, SHUTDOWN_GRACE_S)

    def begin_at(self, cursor: ChangeCursor) -> None:
        """Forget what has been read, and tell clients that what they were sent may be wrong."""
        self._recent.begin_at(cursor)
        for subscriptions in self._joined.values():
            for subscription in subscriptions:
                subscription.reset(cursor)

    def publish(self, page: ChangePage) -> None:
        """Have all clients that follow these changes sent them."""
        events = [Event.of_change(change) for change in page.changes]
        self._recent.extend(events)
        for subscriptions in self._joined.values():
            filters = next(iter(subscriptions)).filters
            matching = [event for event in events if event.matches(filters)]
            for subscription in subscriptions:
                subscription.put(matching)

    async def drained(self) -> None:
        """Return when all clients could take another page; slow ones are not waited for long."""
        for _ in range(10):
            if all(len(client) <= self._backlog - self._page_size for client in self._clients):
                return
            await asyncio.sleep(DRAIN_S / 10)

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._stopped_at is not None and loop.time() - self._stopped_at > self._timing.keep:
            self._watcher.forget()
        self._watcher.start()
        self._sweeper = loop.call_later(self._timing.sweep, self._sweep)

    def _stop(self) -> None:
        self._watcher.stop()
        self._stopped_at = asyncio.get_running_loop().time()
        if self._sweeper is not None:
            self._sweeper.cancel()

    def _sweep(self) -> None:
        """End the streams that are old enough, and send heartbeats: one timer for all clients."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for subscription in self._clients:
            if now >= subscription.ends_at:
                subscription.end(AGE)
        if (cursor := self._watcher.cursor) is not None:
            for subscriptions in self._joined.values():
                for subscription in subscriptions:
                    if now - subscription.sent_at > self._timing.heartbeat:
                        subscription.send_heartbeat(cursor)
        self._sweeper = loop.call_later(self._timing.sweep, self._sweep)


def _key(filters: Mapping[str, Any]) -> Hashable:
    return frozenset(filters.items())
