"""A client of server-sent events: parses them, and keeps what it was told of highlights."""

from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True)
class StreamEvent:
    """An event as a browser would dispatch it."""

    name: str
    id: str
    data: Any


class EventParser:
    """Parses a stream that comes in pieces; `last_id` and `retry_ms` are a browser's."""

    def __init__(self) -> None:
        self.last_id = ""
        self.retry_ms: int | None = None
        self.comments = 0
        self._rest = b""

    def feed(self, piece: bytes) -> list[StreamEvent]:
        """Return the events that are complete with this piece."""
        *blocks, self._rest = (self._rest + piece).split(b"\n\n")
        return [event for block in blocks if (event := self._parse(block.decode()))]

    def _parse(self, block: str) -> StreamEvent | None:
        name, data = "message", ""
        for line in block.split("\n"):
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match key:
                case "":
                    self.comments += 1
                case "event":
                    name = value
                case "data":
                    data += value
                case "id":
                    self.last_id = value
                case "retry":
                    self.retry_ms = int(value)
                case _:
                    raise AssertionError(f"no field of an event: {line!r}")
        return StreamEvent(name, self.last_id, orjson.loads(data)) if data else None


@dataclass
class Follower:
    """Keeps the newest document of each highlight; a reset empties it.

    It fails when it is told of a highlight twice in one state.
    """

    parser: EventParser = field(default_factory=EventParser)
    documents: dict[str, Any] = field(default_factory=dict)
    events: list[StreamEvent] = field(default_factory=list)
    _told: dict[str, Any] = field(default_factory=dict)

    def feed(self, piece: bytes) -> list[StreamEvent]:
        """Take a piece of a stream; return its events."""
        events = self.parser.feed(piece)
        for event in events:
            if event.name == "reset":
                self.documents.clear()
                self._told.clear()
            if event.name == "highlight":
                id_ = event.data["id"]
                assert self._told.get(id_) != event.data, f"told twice: {event}"
                self._told[id_] = self.documents[id_] = event.data
            self.events.append(event)
        return events

    def lose_connection(self) -> None:
        """Forget half of an event; the last id stays."""
        last_id = self.parser.last_id
        self.parser = EventParser()
        self.parser.last_id = last_id

    def names(self) -> list[str]:
        """Return the names of all events so far."""
        return [event.name for event in self.events]
