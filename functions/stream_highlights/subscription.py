"""What a client of the stream has still to be sent."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from functions.shared.contract.change_cursor import BEGINNING, ChangeCursor
from functions.shared.http.problems import FROM_THE_BEGINNING
from functions.shared.postgres.change_feed import Change
from functions.shared.postgres.translation import translate
from functions.stream_highlights.server_sent_events import COMMENT, render_event

CHUNK_SIZE: Final = 32 * 1024  # bytes that are sent at once, unless one event has more
TOO_SLOW: Final = "too slow"
END_GRACE_S: Final = 5.0  # for a client to take the last event
RESET: Final = orjson.dumps({"begin": FROM_THE_BEGINNING}).decode()


@dataclass(frozen=True, slots=True)
class Event:
    """An event as every client is sent it, and the place in the change feed after it.

    In each language it is rendered once, when the first client takes it.
    """

    cursor: ChangeCursor
    text: bytes
    change: Change | None = None
    _translations: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of_change(cls, change: Change) -> "Event":
        """Render a changed highlight."""
        return cls(change.cursor, render_event("highlight", change.json, change.cursor), change)

    def text_in(self, language: str | None) -> bytes:
        """Return the text with the highlight's title and summary in a language, if it has them."""
        if language is None or self.change is None:
            return self.text
        if language not in self._translations:
            translated = translate(self.change.json, language)
            text = render_event("highlight", translated, self.cursor)
            self._translations[language] = text
        return self._translations[language]

    def matches(self, filters: Mapping[str, Any]) -> bool:
        """Return whether the highlight has these values."""
        return all(getattr(self.change, name) == value for name, value in filters.items())


def render_reset(cursor: ChangeCursor) -> bytes:
    """Return the event that tells a client to read everything again: places before it expired."""
    return render_event("reset", RESET, cursor)


def _do_nothing() -> None:
    """Nobody is served yet."""


class Subscription:
    """The events that one client has still to be sent: `backlog` of them at most, or it is ended.

    `position` is the place up to which the client has been sent everything, or is about to be.
    `give_up` is called when a client has not taken the last event in time. `language` is as in
    `Event.text_in`.
    """

    def __init__(
        self,
        filters: Mapping[str, Any],
        backlog: int,
        ends_at: float = math.inf,
        language: str | None = None,
    ) -> None:
        self.filters = filters
        self.language = language
        self.position = BEGINNING
        self.ends_at = ends_at
        self.sent_at = -math.inf  # by the event loop's clock
        self.is_ended = False
        self.give_up: Callable[[], None] = _do_nothing
        self._backlog = backlog
        self._pending: deque[Event] = deque()
        self._filled: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """Return how many events are pending."""
        return len(self._pending)

    def put(self, events: Sequence[Event]) -> None:
        """Have these events sent, without those up to `position`; they are in their order."""
        if self.is_ended:
            return
        if events and events[0].cursor <= self.position:
            events = [event for event in events if event.cursor > self.position]
        if not events:
            return
        if len(self._pending) + len(events) > self._backlog:
            self.end(TOO_SLOW)
            return
        self.position = events[-1].cursor
        self._append(*events)

    def be_ready(self, cursor: ChangeCursor) -> None:
        """Tell the client that it has been sent everything up to a place in the feed."""
        if not self.is_ended:
            self.position = max(self.position, cursor)
            self._append(Event(self.position, render_event("ready", event_id=self.position)))

    def reset(self, cursor: ChangeCursor) -> None:
        """Tell the client to read everything again, and go on from a place in a new epoch."""
        if not self.is_ended:
            self._pending.clear()
            self.position = cursor
            self._append(Event(cursor, render_reset(cursor)))

    def send_heartbeat(self, cursor: ChangeCursor) -> None:
        """Show the client that it is connected; keep its last id recent, so that it can come back.

        Does nothing while it has something to take.
        """
        if self._pending or self.is_ended:
            return
        if cursor > self.position:
            self.be_ready(cursor)
        else:
            self._append(Event(self.position, COMMENT))

    def end(self, reason: str, grace_s: float = END_GRACE_S) -> None:
        """End the stream with a last event, which the client has `grace_s` seconds to take."""
        if self.is_ended:
            return
        self.is_ended = True
        self._pending.clear()
        text = render_event("end", orjson.dumps({"reason": reason}).decode())
        self._append(Event(self.position, text))
        asyncio.get_running_loop().call_later(grace_s, lambda: self.give_up())

    async def chunks(self) -> AsyncIterator[bytes]:
        """Iterate over what is to be sent, up to the last event."""
        loop = asyncio.get_running_loop()
        while self._pending or not self.is_ended:
            while not self._pending:
                self._filled = loop.create_future()
                await self._filled
            self.sent_at = loop.time()
            yield self._take_chunk()

    def _take_chunk(self) -> bytes:
        texts: list[bytes] = []
        size = 0
        while self._pending:
            text = self._pending[0].text_in(self.language)
            size += len(text)
            if texts and size > CHUNK_SIZE:
                break
            texts.append(text)
            self._pending.popleft()
        return b"".join(texts)

    def _append(self, *events: Event) -> None:
        self._pending.extend(events)
        if self._filled is not None and not self._filled.done():
            self._filled.set_result(None)
