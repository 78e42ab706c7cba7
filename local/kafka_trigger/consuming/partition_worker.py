"""The worker of an assigned partition: a thread that delivers its records batch by batch."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from local.kafka_trigger.consuming.record_queue import RecordQueue
from local.kafka_trigger.delivering.context import DeliveryStatus
from local.kafka_trigger.delivering.retrying_deliverer import Stopped
from local.kafka_trigger.record import Record


class Deliverer(Protocol):
    """A way to deliver batches, one at a time."""

    def deliver(self, records: Sequence[Record], on_progress: Callable[[int], None]) -> None:
        """Deliver a batch and report how far it is processed; raises Stopped when it is to stop."""


class PartitionWorker:
    """Delivers a partition's records while it is assigned; a later assignment gets a new worker.

    This is the fence against late answers: once the worker is dropped, nobody reads its
    `processed_to` again. That is the offset before which all records are processed, None before
    any is; `failure` is the unexpected error that ended the thread, if any.

    `stopping` ends the deliverer's usual waits, `abort` its request and all of its waits.
    """

    def __init__(
        self,
        partition: int,
        queue: RecordQueue,
        deliverer: Deliverer,
        status: DeliveryStatus,
        stopping: threading.Event,
        abort: Callable[[], None],
    ) -> None:
        self.partition = partition
        self.queue = queue
        self.status = status
        self.processed_to: int | None = None
        self.failure: Exception | None = None
        self._deliverer = deliverer
        self._stopping = stopping
        self._abort = abort
        self._batch: Sequence[Record] = ()
        name = f"partition-{partition}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    @property
    def in_flight(self) -> list[Record]:
        """The records of the current batch that are not processed."""
        processed_to = self.processed_to or 0
        return [record for record in self._batch if record.offset() >= processed_to]

    @property
    def oldest(self) -> Record | None:
        """The first record that was received and is not processed."""
        return next(iter(self.in_flight), self.queue.first)

    def start(self) -> None:
        """Start to deliver the records that are put into the queue."""
        self._thread.start()

    def stop(self) -> None:
        """Start no further batch, and only those retries that avoid duplicates."""
        self._stopping.set()
        self.queue.close()

    def drain(self, timeout_s: float) -> bool:
        """Wait for the batch in flight; abort it after the timeout, and return False."""
        self._thread.join(max(timeout_s, 0))
        if not self._thread.is_alive():
            return True
        self._abort()
        return False

    def _run(self) -> None:
        try:
            while batch := self.queue.take():
                self._batch = batch
                self._deliverer.deliver(batch, self._advance)
        except Stopped:
            pass
        except Exception as error:
            error.add_note(f"in partition {self.partition}")
            self.failure = error

    def _advance(self, processed_to: int) -> None:
        self.processed_to = processed_to
        self.status.attempts = 0
