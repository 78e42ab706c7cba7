"""The records of one partition that wait for delivery."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from local.kafka_trigger.consuming.record import Record

BATCHES_AHEAD = 4
LEAST_AHEAD = 1000  # records; with less, small batches would have it run full all the time


def depth(batch_size: int) -> int:
    """How many records a queue holds when it is full."""
    return max(BATCHES_AHEAD * batch_size, LEAST_AHEAD)


class RecordQueue:
    """A queue from the thread that polls to the one that delivers, which takes it in batches."""

    def __init__(
        self,
        *,
        batch_size: int,
        batch_bytes: int,
        window_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._batch_size = batch_size
        self._batch_bytes = batch_bytes
        self._window_s = window_s
        self._clock = clock
        self._depth = depth(batch_size)
        self._depth_bytes = BATCHES_AHEAD * batch_bytes
        self._records: deque[Record] = deque()
        self._bytes = 0
        self._window_ends = 0.0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def is_full(self) -> bool:
        """Whether no more should be put into it, for now."""
        return len(self._records) >= self._depth or self._bytes >= self._depth_bytes

    @property
    def is_low(self) -> bool:
        """Whether it should be filled again; until more comes there are batches left."""
        return len(self._records) <= self._depth // 2 and self._bytes <= self._depth_bytes // 2

    @property
    def first(self) -> Record | None:
        """The record that is taken next, if there is one."""
        with self._changed:
            return self._records[0] if self._records else None

    def put(self, records: Sequence[Record]) -> None:
        """Add records, which follow those in the queue."""
        with self._changed:
            if not self._records:
                self._window_ends = self._clock() + self._window_s
            self._records.extend(records)
            self._bytes += sum(map(len, records))
            self._changed.notify_all()

    def wait_for_room(self, seconds: float) -> bool:
        """Wait until it is full no more; False when that takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.is_full, max(seconds, 0))

    def take(self) -> list[Record]:
        """Wait for the next batch; an empty one says that the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._records or self._closed)
            self._changed.wait_for(
                lambda: self._has_batch() or self._closed, self._window_ends - self._clock()
            )
            return [] if self._closed else self._next_batch()

    def close(self) -> None:
        """Wake up whoever waits; what is in the queue stays there."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_batch(self) -> bool:
        return len(self._records) >= self._batch_size or self._bytes >= self._batch_bytes

    def _next_batch(self) -> list[Record]:
        batch: list[Record] = []
        size = 0
        while self._records and len(batch) < self._batch_size:
            size += len(self._records[0])
            if batch and size > self._batch_bytes:
                size -= len(self._records[0])
                break
            batch.append(self._records.popleft())
        self._bytes -= size
        self._window_ends = self._clock() + self._window_s
        self._changed.notify_all()
        return batch
