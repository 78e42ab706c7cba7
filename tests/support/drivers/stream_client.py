"""A client of the streams of a hub, without HTTP."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any, cast

from functions.shared.contract.change_cursor import BEGINNING, ChangeCursor
from functions.stream_highlights.hub import ChangeHub
from functions.stream_highlights.stream import HighlightStream
from tests.support.drivers.event_stream import Follower
from tests.support.fakes.change_feed import FakeChangeFeed

LIMIT_S = 10


class StreamClient:
    """Takes a stream chunk by chunk, or all of it in the background.

    At a reset it reads the whole table, as a client of the API does.
    """

    def __init__(
        self, hub: ChangeHub, feed: FakeChangeFeed, filters: Mapping[str, Any] | None = None
    ) -> None:
        self.follower = Follower()
        self.filters = filters or {}
        self._hub = hub
        self._feed = feed
        self._stream: HighlightStream | None = None
        self._chunks: AsyncGenerator[bytes] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._goes_on = asyncio.Event()

    @property
    def is_connected(self) -> bool:
        """Whether its stream goes on."""
        return self._stream is not None

    @property
    def is_up_to_date(self) -> bool:
        """Whether it knows all that is visible, and nothing else."""
        return self.follower.documents == self._feed.documents(self.filters)

    async def connect(self, after: ChangeCursor | None = BEGINNING) -> None:
        """Begin a stream after the last id, or without one after this place."""
        last_id = self.follower.parser.last_id
        stream = HighlightStream(self._hub, self.filters)
        try:
            await stream.begin(ChangeCursor.parse(last_id) if last_id else after)
        except BaseException:
            stream.close()
            raise
        self._stream = stream
        self._chunks = cast(AsyncGenerator[bytes], stream.chunks())

    async def take(self, *, half: bool = False) -> bool:
        """Take a chunk, or half of one; return False at the end."""
        assert self._chunks is not None
        chunk = await anext(self._chunks, None)
        if chunk is None:
            return False
        events = self.follower.feed(chunk[: len(chunk) // 2] if half else chunk)
        if any(event.name == "reset" for event in events):
            self.follower.documents |= self._feed.documents(self.filters)
        return True

    def pause(self) -> None:
        """Take no more chunks, but the one that is waited for."""
        self._goes_on.clear()

    def resume(self) -> None:
        """Take chunks as they come, until the end."""
        self._goes_on.set()

    async def leave(self) -> None:
        """End the connection from this side."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        if self._chunks is not None:
            await self._chunks.aclose()
        if self._stream is not None:
            self._stream.close()
        self._stream = self._chunks = self._reading = None
        self.follower.lose_connection()

    async def follow(self, after: ChangeCursor | None = BEGINNING) -> None:
        """Connect, and take chunks as they come."""
        await self.connect(after)
        self.resume()
        self._reading = asyncio.create_task(self._read())

    async def has_ended(self) -> None:
        """Return when its stream has ended, or raise what it raised."""
        assert self._reading is not None
        await asyncio.wait_for(asyncio.shield(self._reading), LIMIT_S)

    async def _read(self) -> None:
        await self._goes_on.wait()
        while await self.take():
            await self._goes_on.wait()
