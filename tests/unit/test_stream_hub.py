"""The hub of the streams, and its clients, on a change feed in memory."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.errors import TooBusy, Unavailable
from functions.stream_highlights.feed_watcher import Intervals
from functions.stream_highlights.hub import ChangeHub, Timing
from functions.stream_highlights.settings import StreamHighlightsSettings
from tests.support.drivers.stream_client import StreamClient
from tests.support.fakes.change_feed import MATCH, OTHER_MATCH, FakeChangeFeed
from tests.support.length import IS_LONG

QUICK = Timing(Intervals(0.02, 0.001, 0), sweep=0.01, heartbeat=60)
SLOW = Timing(Intervals(60, 60, 0.02))
MATCHES = (MATCH, OTHER_MATCH)
LIMIT_S = 10


class FakeListener:
    """Wakes who listens when a test says so."""

    def __init__(self) -> None:
        self.wake: Callable[[], None] = lambda: None

    async def listen(self, wake: Callable[[], None]) -> None:
        """Listen until it is cancelled."""
        self.wake = wake
        await asyncio.Event().wait()


def hub_of(
    feed: FakeChangeFeed,
    timing: Timing = QUICK,
    listener: FakeListener | None = None,
    **settings: Any,
) -> ChangeHub:
    """Return a hub with these settings."""
    given = {"DATABASE_URL": "postgresql://x", **settings}
    return ChangeHub(feed, StreamHighlightsSettings.model_validate(given), listener, timing)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.001)


class Walk:
    """Random steps of a table, of a hub and of its clients."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.feed = FakeChangeFeed()
        self.listener = FakeListener()
        self.hub = hub_of(self.feed, listener=self.listener, STREAM_BACKLOG=16)
        filters = [{}, {}, {"match_id": MATCH}, {"match_id": OTHER_MATCH}, {}]
        self.clients = [StreamClient(self.hub, self.feed, each) for each in filters]
        self.state = 0

    async def run(self, steps: int) -> None:
        """Take so many steps, then let all clients catch up."""
        acts: dict[Callable[[], Coroutine[Any, Any, None]], int] = {
            self.write: 12, self.begin: 3, self.commit: 4, self.burst: 1, self.connect: 6,
            self.leave: 3, self.pause: 2, self.resume: 4, self.wait: 8, self.fail: 1,
            self.restore: 1,
        }  # fmt: skip
        for act in self.random.choices(list(acts), list(acts.values()), k=steps):
            await act()
        self.feed.away = False
        for xid in list(self.feed.open):
            self.feed.commit(xid)
        for client in self.clients:
            await client.leave()
            await client.follow()
        await until(lambda: all(client.is_up_to_date for client in self.clients))
        for client in self.clients:
            await client.leave()

    async def write(self) -> None:
        """Change a highlight in an open transaction, or in one of its own."""
        self.state += 1
        locked = {id_.int for rows in self.feed.open.values() for id_ in rows}
        free = [number for number in range(1, 60) if number not in locked]
        if not free:
            return
        number, xid = self.random.choice(free), self.random.choice([*self.feed.open, 0])
        values = {"state": self.state, "match_id": MATCHES[number % 2]}
        if xid:
            self.feed.write(xid, number, **values)
        else:
            self.feed.change(number, **values)

    async def burst(self) -> None:
        """Change more highlights than a client may be behind."""
        for _ in range(30):
            await self.write()

    async def begin(self) -> None:
        """Begin a transaction."""
        if len(self.feed.open) < 3:
            self.feed.begin()

    async def commit(self) -> None:
        """Commit one, not always the oldest."""
        if self.feed.open:
            self.feed.commit(self.random.choice(list(self.feed.open)))
            self.listener.wake()

    async def connect(self) -> None:
        """Have a client follow, or come back."""
        client = self.random.choice(self.clients)
        if not client.is_connected:
            with suppress(Unavailable):
                await client.follow()

    async def leave(self) -> None:
        """Have a client lose its connection, perhaps in the midst of an event."""
        client = self.random.choice(self.clients)
        if client.is_connected:
            await client.leave()

    async def pause(self) -> None:
        """Have a client read nothing for a while."""
        self.random.choice(self.clients).pause()

    async def resume(self) -> None:
        """Have a client read on."""
        self.random.choice(self.clients).resume()

    async def wait(self) -> None:
        """Let time pass."""
        for _ in range(self.random.randrange(30)):
            await asyncio.sleep(0)

    async def fail(self) -> None:
        """Have the database go away, or come back."""
        self.feed.away = not self.feed.away and self.random.random() < 0.5

    async def restore(self) -> None:
        """Restore the database, now and then."""
        if self.random.random() < 0.3:
            self.feed.restore()


@pytest.mark.parametrize("seed", range(200 if IS_LONG else 20))
def test_a_follower_has_in_the_end_exactly_the_table(seed: int) -> None:
    """Whatever fails, and whenever it comes and goes; it is told of no state twice."""
    asyncio.run(Walk(seed).run(400))


def test_one_look_serves_all_clients_and_without_clients_there_is_none() -> None:
    """However many come at once; one that comes back soon is served without the table."""

    async def work() -> None:
        feed = FakeChangeFeed()
        listener = FakeListener()
        hub = hub_of(feed, SLOW, listener)
        clients = [StreamClient(hub, feed) for _ in range(50)]
        await asyncio.gather(*(client.follow(None) for client in clients))
        looks = feed.reads
        assert looks <= 3
        feed.change(1)
        listener.wake()
        await until(lambda: all(client.is_up_to_date for client in clients))
        assert feed.reads <= looks + 1
        for client in clients:
            await client.leave()
        looks = feed.reads
        await asyncio.sleep(3 * SLOW.looks.pause)
        assert feed.reads == looks
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
        for client in clients:
            await client.follow()
        await until(lambda: all("ready" in client.follower.names()[2:] for client in clients))
        assert feed.reads <= looks + 1
        for client in clients:
            await client.leave()

    asyncio.run(work())


def test_a_client_that_takes_nothing_is_ended_and_others_go_on() -> None:
    """It is sent the reason, and comes back for what it has missed."""

    async def work() -> None:
        feed = FakeChangeFeed()
        hub = hub_of(feed, STREAM_BACKLOG=8)
        slow, fast = StreamClient(hub, feed), StreamClient(hub, feed)
        await slow.follow()
        await fast.follow()
        await until(lambda: "ready" in slow.follower.names())
        slow.pause()
        for number in range(1, 31):
            feed.change(number)
            if number % 4 == 0:
                await until(lambda: fast.is_up_to_date)
        await until(lambda: fast.is_up_to_date)
        slow.resume()
        await slow.has_ended()
        assert slow.follower.events[-1].data == {"reason": "too slow"}
        await slow.leave()
        await slow.follow()
        await until(lambda: slow.is_up_to_date)
        await slow.leave()
        await fast.leave()

    asyncio.run(work())


def test_a_heartbeat_keeps_the_last_id_recent() -> None:
    """A client that is told of nothing can come back without the table."""

    async def work() -> None:
        feed = FakeChangeFeed()
        hub = hub_of(feed, Timing(QUICK.looks, sweep=0.01, heartbeat=0.02))
        client = StreamClient(hub, feed, {"match_id": OTHER_MATCH})
        await client.follow()
        parser = client.follower.parser
        await until(lambda: parser.comments > 1)
        place = feed.change(1, match_id=MATCH)
        await until(lambda: parser.last_id != "" and ChangeCursor.parse(parser.last_id) > place)
        assert set(client.follower.names()) == {"ready"}
        await client.leave()

    asyncio.run(work())


def test_a_place_of_the_future_is_answered_by_a_reset() -> None:
    """A database that was restored to an earlier time may give the same numbers again."""

    async def work() -> None:
        feed = FakeChangeFeed()
        client = StreamClient(hub_of(feed), feed)
        await client.follow(ChangeCursor(10**9, epoch=feed.epoch))
        await until(lambda: client.follower.names() == ["reset", "ready"])
        feed.change(1)
        await until(lambda: client.is_up_to_date)
        await client.leave()

    asyncio.run(work())


def test_clients_are_bounded_and_none_is_accepted_at_the_end() -> None:
    """A place is free again when its client has left."""

    async def work() -> None:
        feed = FakeChangeFeed()
        hub = hub_of(feed, STREAM_MAX_CLIENTS=1)
        first, second = StreamClient(hub, feed), StreamClient(hub, feed)
        await first.follow()
        with pytest.raises(TooBusy):
            await second.connect()
        await first.leave()
        await second.follow()
        hub.close()
        await second.has_ended()
        assert second.follower.names()[-1] == "end"
        await second.leave()
        with pytest.raises(Unavailable, match="shuts down"):
            await first.connect()

    asyncio.run(work())
