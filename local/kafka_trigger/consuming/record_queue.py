"""The queue of a partition's records, which are taken in batches."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from local.kafka_trigger.record import Record

BATCHES_AHEAD = 4
MIN_CAPACITY = 1000  # records; with fewer, the queue of a small batch size would often be full


def capacity(batch_size: int) -> int:
    """Return the number of records in a full queue."""
    return max(BATCHES_AHEAD * batch_size, MIN_CAPACITY)


class RecordQueue:
    """A queue from the thread that polls to the partition's worker, which takes batches."""

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
        self._capacity = capacity(batch_size)
        self._capacity_bytes = BATCHES_AHEAD * batch_bytes
        self._records: deque[Record] = deque()
        self._size_bytes = 0
        self._window_ends_at = 0.0
        self._closed = False
        self._condition = threading.Condition()

    @property
    def is_full(self) -> bool:
        """Whether no further records should be put into it for now."""
        return len(self._records) >= self._capacity or self._size_bytes >= self._capacity_bytes

    @property
    def is_low(self) -> bool:
        """Whether it should be filled again; there are batches left until more records arrive."""
        return (
            len(self._records) <= self._capacity // 2
            and self._size_bytes <= self._capacity_bytes // 2
        )

    @property
    def first(self) -> Record | None:
        """The record that is taken next, if there is any."""
        with self._condition:
            return self._records[0] if self._records else None

    def put(self, records: Sequence[Record]) -> None:
        """Append records."""
        with self._condition:
            if not self._records:
                self._window_ends_at = self._clock() + self._window_s
            self._records.extend(records)
            self._size_bytes += sum(map(len, records))
            self._condition.notify_all()

    def wait_for_room(self, timeout_s: float) -> bool:
        """Wait until it is not full; returns False after the timeout."""
        with self._condition:
            return self._condition.wait_for(lambda: not self.is_full, max(timeout_s, 0))

    def take(self) -> list[Record]:
        """Wait for the next batch; returns an empty one once the queue is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._records or self._closed)
            self._condition.wait_for(
                lambda: self._has_batch() or self._closed, self._window_ends_at - self._clock()
            )
            return [] if self._closed else self._next_batch()

    def close(self) -> None:
        """Wake up the threads that wait; records in the queue stay there."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _has_batch(self) -> bool:
        return len(self._records) >= self._batch_size or self._size_bytes >= self._batch_bytes

    def _next_batch(self) -> list[Record]:
        batch: list[Record] = []
        size = 0
        while self._records and len(batch) < self._batch_size:
            size += len(self._records[0])
            if batch and size > self._batch_bytes:
                size -= len(self._records[0])
                break
            batch.append(self._records.popleft())
        self._size_bytes -= size
        self._window_ends_at = self._clock() + self._window_s
        self._condition.notify_all()
        return batch
