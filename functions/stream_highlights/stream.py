"""The stream of one client: first what it has missed, then each change as it comes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from functions.shared.contract.change_cursor import BEGINNING, ChangeCursor
from functions.shared.errors import CursorExpired, Unavailable
from functions.stream_highlights.hub import ChangeHub
from functions.stream_highlights.server_sent_events import COMMENT, render_retry
from functions.stream_highlights.subscription import Event, render_reset

RETRY_S: Final = 1.0  # until the database is asked again


class HighlightStream:
    """The events for one client, in pages from the table until it can join the hub.

    A page is read when the client has taken the one before it.
    """

    def __init__(
        self, hub: ChangeHub, filters: Mapping[str, Any], language: str | None = None
    ) -> None:
        """Count the client in.

        Raises:
            TooBusy: there are too many.
            Unavailable: the process shuts down.
        """
        self._hub = hub
        self.subscription = hub.connect(filters, language)
        self._position = BEGINNING
        self._page = b""

    async def begin(self, after: ChangeCursor | None) -> None:
        """Begin after a place in the feed, or at the present one; what is wrong is raised here.

        Raises:
            Unavailable: the database is.
        """
        cursor = self._hub.cursor
        if after is None or cursor is None or after > cursor:
            cursor = await self._hub.look()
        self._position = cursor if after is None else after
        if self._position > cursor or not self._hub.reaches(self._position):
            self._page = await self._read_page()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Iterate over what is to be sent."""
        yield render_retry() + self._page
        while not self.subscription.is_ended and not self._join():
            try:
                yield await self._read_page()
            except Unavailable:  # the connection stays, and shows that it does
                yield COMMENT
                await asyncio.sleep(RETRY_S)
        async for chunk in self.subscription.chunks():
            yield chunk

    def close(self) -> None:
        """Count the client out."""
        self._hub.disconnect(self.subscription)

    def _join(self) -> bool:
        return self._hub.join(self.subscription, self._position)

    async def _read_page(self) -> bytes:
        """Read on from the table; a place that has expired is answered by a reset."""
        try:
            page = await self._hub.read(self._position, self.subscription.filters)
        except CursorExpired:
            self._position = await self._hub.look()
            return render_reset(self._position)
        self._position = page.cursor
        if not page.has_more and not self._hub.reaches(page.cursor):
            await self._hub.look()  # it lags behind, perhaps by an epoch
        language = self.subscription.language
        return b"".join(Event.of_change(change).text_in(language) for change in page.changes)
