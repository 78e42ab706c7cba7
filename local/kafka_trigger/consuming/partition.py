"""One assigned partition: a thread that delivers its records batch by batch, in order."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.consuming.record_queue import RecordQueue
from local.kafka_trigger.delivering.attempts import Attempts
from local.kafka_trigger.delivering.delivery import Stopped


class Delivers(Protocol):
    """What is needed of a delivery."""

    def deliver(self, records: Sequence[Record], done: Callable[[int], None]) -> None:
        """Deliver a batch and tell `done` how far it is; raises Stopped when told to stop."""


class Partition:
    """A partition for as long as it is assigned; a later assignment makes another one.

    That is the fence: who drops this object never looks at its `position` again, however late
    an answer comes. `position` is the offset before which all is done, None before any is;
    `failure` is what ended the thread, if something unexpected did.

    `stopping` is what the delivery's waits wait for; `abort` ends a request under way, and all
    waits; `attempts` are those of the records in flight.
    """

    def __init__(
        self,
        number: int,
        queue: RecordQueue,
        delivery: Delivers,
        stopping: threading.Event,
        abort: Callable[[], None],
        attempts: Attempts | None = None,
    ) -> None:
        self.number = number
        self.queue = queue
        self.attempts = attempts or Attempts()
        self.position: int | None = None
        self.failure: Exception | None = None
        self._delivery = delivery
        self._stopping = stopping
        self._abort = abort
        self._batch: Sequence[Record] = ()
        self._thread = threading.Thread(target=self._run, name=f"partition-{number}", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether its thread works."""
        return self._thread.is_alive()

    @property
    def blocked_by(self) -> str | None:
        """Why it cannot go on by itself; None if it can."""
        return self.attempts.blocked_by

    @property
    def in_flight(self) -> list[Record]:
        """The records of the batch under way that are not done."""
        position = self.position or 0
        return [record for record in self._batch if record.offset() >= position]

    @property
    def oldest(self) -> Record | None:
        """The first record here that is not done."""
        return next(iter(self.in_flight), self.queue.first)

    def start(self) -> None:
        """Begin to deliver what is put into the queue."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no further batch, and only those retries without which some would come twice."""
        self._stopping.set()
        self.queue.close()

    def drain(self, seconds: float) -> bool:
        """After a stop: wait for the end; what does not end in time is aborted, and False."""
        self._thread.join(max(seconds, 0))
        if not self._thread.is_alive():
            return True
        self._abort()
        return False

    def _run(self) -> None:
        try:
            while batch := self.queue.take():
                self._batch = batch
                self._delivery.deliver(batch, self._advance)
        except Stopped:
            pass
        except Exception as error:
            error.add_note(f"in partition {self.number}")
            self.failure = error

    def _advance(self, position: int) -> None:
        self.position = position
        self.attempts.progress()
