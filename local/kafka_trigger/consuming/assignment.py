"""The partitions that are assigned to a trigger, each with its worker."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence

from local.kafka_trigger.consuming.partition_worker import PartitionWorker
from local.kafka_trigger.consuming.trigger_state import TriggerState
from local.kafka_trigger.record import Record

log = logging.getLogger(__name__)


class Assignment:
    """Starts and stops the workers of partitions. Used by the thread that polls."""

    def __init__(
        self,
        state: TriggerState,
        make_worker: Callable[[int], PartitionWorker],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._workers = state.workers
        self._make_worker = make_worker
        self._clock = clock

    def __contains__(self, partition: int) -> bool:
        return partition in self._workers

    @property
    def partitions(self) -> list[int]:
        """The assigned partitions, in order."""
        return sorted(self._workers)

    def add(self, partitions: Iterable[int]) -> None:
        """Start a worker for each partition."""
        for partition in partitions:
            worker = self._make_worker(partition)
            worker.start()
            self._workers[partition] = worker

    def enqueue(self, partition: int, records: Sequence[Record]) -> None:
        """Put records of an assigned partition into its queue."""
        # First the offset: a worker must not be ahead of what is known to be enqueued.
        self._state.offsets.record_enqueued(partition, records[-1].offset() + 1)
        self._workers[partition].queue.put(records)

    def committable(self) -> dict[int, int | None]:
        """Return by partition the offset that it may commit; None if there is none yet."""
        return {
            partition: self._state.offsets.committable(partition, worker.processed_to)
            for partition, worker in self._workers.items()
        }

    def raise_failure(self) -> None:
        """Raise the unexpected error of a worker, if there is any."""
        for worker in self._workers.values():
            if worker.failure:
                raise worker.failure

    def release(self, partitions: Iterable[int], drain_s: float) -> dict[int, int | None]:
        """Stop the workers of partitions, and return what each may commit, as `committable` does.

        Batches in flight have `drain_s` seconds to finish; what finishes later is ignored.
        """
        released = [self._workers.pop(each) for each in partitions if each in self._workers]
        for worker in released:
            worker.stop()
        deadline = self._clock() + drain_s
        late = [each.partition for each in released if not each.drain(deadline - self._clock())]
        if late:
            fields = {"trigger": self._state.trigger, "partitions": late}
            log.warning("not finished in time, comes again", extra={"fields": fields})
        offsets = self._state.offsets
        committable = {
            each.partition: offsets.committable(each.partition, each.processed_to)
            for each in released
        }
        offsets.forget(committable)
        return committable
