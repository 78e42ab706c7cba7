"""The acknowledgements that a producer awaits, each until its deadline."""

import asyncio
from collections import deque

from confluent_kafka import KafkaError, Message

from functions.shared.errors import NotAcknowledged

Acknowledged = asyncio.Future[None]

# Between two looks at the deadlines there is a millisecond. After this long the process was
# frozen, as a FaaS does between two requests, and the broker had no chance to be heard meanwhile.
FROZEN_S = 1.0


class Acknowledgement:
    """Counts down the delivery reports of the records of one call."""

    __slots__ = ("_awaited", "_done", "_error", "deadline")

    def __init__(self, done: Acknowledged, awaited: int, deadline: float) -> None:
        self.deadline = deadline
        self._done = done
        self._awaited = awaited
        self._error: KafkaError | None = None

    def delivered(self, error: KafkaError | None, _: Message) -> None:
        """Count a delivery report; the last one ends it."""
        self._error = self._error or error
        self._awaited -= 1
        if self._awaited == 0:
            self.end(str(self._error) if self._error else None)

    def end(self, error: str | None) -> None:
        """Tell whoever waits, unless that has been done."""
        if self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(NotAcknowledged(error))

    def ended(self) -> bool:
        """Whether whoever waits has been told."""
        return self._done.done()


class PendingAcks:
    """Acknowledgements in the order of their deadlines, which a freeze puts off."""

    def __init__(self) -> None:
        self._awaited: deque[Acknowledgement] = deque()
        self._looked_at = 0.0

    def __bool__(self) -> bool:
        """Whether any is awaited."""
        return bool(self._awaited)

    def add(self, acknowledgement: Acknowledgement, now: float) -> None:
        """Await one more, whose deadline is not before the others'."""
        if not self._awaited:
            self._looked_at = now
        self._awaited.append(acknowledgement)

    def expire(self, now: float) -> None:
        """Drop what has ended, and end what is late."""
        if (frozen_s := now - self._looked_at) > FROZEN_S:
            for each in self._awaited:
                each.deadline += frozen_s
        self._looked_at = now
        while self._awaited and (self._awaited[0].ended() or self._awaited[0].deadline <= now):
            self._awaited.popleft().end("no acknowledgement in time")
