"""The latest events, for clients that come back: the table need not be read for them."""

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any

from functions.shared.contract.change_cursor import ChangeCursor
from functions.stream_highlights.subscription import Event


class RecentEvents:
    """All events after a place in the change feed, `size` of them at most."""

    def __init__(self, size: int) -> None:
        self._events: deque[Event] = deque()
        self._size = size
        self._begin: ChangeCursor | None = None

    def begin_at(self, cursor: ChangeCursor) -> None:
        """Forget all, and begin at a place."""
        self._events.clear()
        self._begin = cursor

    def extend(self, events: Iterable[Event]) -> None:
        """Add the next events, and forget the oldest ones."""
        self._events.extend(events)
        while len(self._events) > self._size:
            self._begin = self._events.popleft().cursor

    def reach(self, position: ChangeCursor) -> bool:
        """Return whether they are all that come after a place; places of the future count too."""
        begin = self._begin
        return begin is not None and begin.epoch == position.epoch and begin <= position

    def after(self, position: ChangeCursor, filters: Mapping[str, Any]) -> list[Event]:
        """Return those after a place that they reach, in their order."""
        newest = takewhile(lambda event: event.cursor > position, reversed(self._events))
        return [event for event in newest if event.matches(filters)][::-1]
