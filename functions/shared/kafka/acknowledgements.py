"""Acknowledgements that the broker owes: the futures that wait for them, and their deadlines."""

import asyncio
from collections import deque

from confluent_kafka import KafkaError, Message

from functions.shared.errors import NotAcknowledged

Acknowledged = asyncio.Future[None]

# `expire` is called every millisecond. After so long without a call the process was frozen, as a
# FaaS does between two requests, and could not receive acknowledgements meanwhile.
FROZEN_S = 1.0


class Acknowledgement:
    """Completes a future when the last of so many records is reported, or one has failed."""

    __slots__ = ("_done", "_error", "_missing", "deadline")

    def __init__(self, done: Acknowledged, records: int, deadline: float) -> None:
        self.deadline = deadline
        self._done = done
        self._missing = records
        self._error: KafkaError | None = None

    def on_delivery(self, error: KafkaError | None, _: Message) -> None:
        """Count a delivery report; the last one completes the future."""
        self._error = self._error or error
        self._missing -= 1
        if self._missing == 0:
            self.complete(str(self._error) if self._error else None)

    def complete(self, error: str | None) -> None:
        """Set the future's result, or NotAcknowledged with this error, unless it is done."""
        if self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(NotAcknowledged(error))

    def is_done(self) -> bool:
        """Return whether the future is done."""
        return self._done.done()


class PendingAcks:
    """Acknowledgements in the order of their deadlines, which a freeze extends."""

    def __init__(self) -> None:
        self._pending: deque[Acknowledgement] = deque()
        self._checked_at = 0.0

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._pending)

    def add(self, acknowledgement: Acknowledgement, now: float) -> None:
        """Add one whose deadline is not before the others'."""
        if not self._pending:
            self._checked_at = now
        self._pending.append(acknowledgement)

    def expire(self, now: float) -> None:
        """Remove those that are done, and fail those whose deadline has passed."""
        if (frozen_s := now - self._checked_at) > FROZEN_S:
            for each in self._pending:
                each.deadline += frozen_s
        self._checked_at = now
        while self._pending and (self._pending[0].is_done() or self._pending[0].deadline <= now):
            self._pending.popleft().complete("no acknowledgement in time")
