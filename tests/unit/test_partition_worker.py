"""The worker of an assigned partition."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from local.kafka_trigger.consuming.partition_worker import PartitionWorker
from local.kafka_trigger.consuming.record_queue import RecordQueue
from local.kafka_trigger.delivering.context import DeliveryStatus
from local.kafka_trigger.delivering.retrying_deliverer import Stopped
from local.kafka_trigger.record import Record
from tests.support.builders.records import records

LIMIT_S = 10


@dataclass
class FakeDeliverer:
    """A deliverer that holds each batch until it is released, and records the batches."""

    stopping: threading.Event = field(default_factory=threading.Event)
    released: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    taken: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    batches: list[list[int]] = field(default_factory=list)
    error: Exception | None = None

    def deliver(self, batch: Sequence[Record], on_progress: Callable[[int], None]) -> None:
        """Deliver half of a batch, wait, and deliver the rest."""
        offsets = [each.offset() for each in batch]
        self.batches.append(offsets)
        on_progress(offsets[0] + 1)
        self.taken.release()
        assert self.released.acquire(timeout=LIMIT_S)
        if self.error:
            raise self.error
        on_progress(offsets[-1] + 1)


def started(deliverer: FakeDeliverer, abort: Callable[[], None] = lambda: None) -> PartitionWorker:
    """A worker that has started, with batches of two."""
    queue = RecordQueue(batch_size=2, batch_bytes=1000, window_s=0)
    worker = PartitionWorker(3, queue, deliverer, DeliveryStatus(), deliverer.stopping, abort)
    worker.start()
    return worker


def test_batches_are_delivered_one_after_the_other() -> None:
    """One batch is in flight at a time, and `processed_to` follows it."""
    deliverer = FakeDeliverer()
    worker = started(deliverer)
    worker.queue.put(records(range(4)))
    assert deliverer.taken.acquire(timeout=LIMIT_S)
    assert (worker.processed_to, deliverer.batches) == (1, [[0, 1]])
    deliverer.released.release()
    assert deliverer.taken.acquire(timeout=LIMIT_S)
    assert (worker.processed_to, deliverer.batches) == (3, [[0, 1], [2, 3]])
    deliverer.released.release()
    worker.stop()
    assert worker.drain(LIMIT_S)
    assert worker.processed_to == 4


def test_unprocessed_records_are_visible() -> None:
    """The rest of the batch in flight, and the oldest record, which may be in the queue."""
    deliverer = FakeDeliverer()
    worker = started(deliverer)
    assert (worker.in_flight, worker.oldest) == ([], None)
    waiting = records([0, 1, 2])
    worker.queue.put(waiting)
    assert deliverer.taken.acquire(timeout=LIMIT_S)
    assert (worker.in_flight, worker.oldest) == ([waiting[1]], waiting[1])
    deliverer.released.release()
    assert deliverer.taken.acquire(timeout=LIMIT_S)
    assert (worker.in_flight, worker.oldest) == ([], None)
    deliverer.released.release()
    assert worker.is_alive
    worker.stop()
    assert worker.drain(LIMIT_S)
    assert not worker.is_alive
    worker.queue.put(waiting[2:])
    assert worker.oldest is waiting[2]


def test_a_stop_finishes_the_batch_in_flight_and_starts_no_other() -> None:
    """The batches behind it are for the next owner."""
    deliverer = FakeDeliverer()
    worker = started(deliverer)
    worker.queue.put(records(range(4)))
    assert deliverer.taken.acquire(timeout=LIMIT_S)
    worker.stop()
    assert deliverer.stopping.is_set()
    deliverer.released.release()
    assert worker.drain(LIMIT_S)
    assert deliverer.batches == [[0, 1]]
    assert worker.processed_to == 2


def test_an_idle_worker_stops_at_once() -> None:
    """Its thread does not wait for a record, and nothing is processed."""
    worker = started(FakeDeliverer())
    assert worker.processed_to is None
    worker.stop()
    assert worker.drain(LIMIT_S)


def test_a_drain_aborts_a_batch_that_is_not_finished_in_time() -> None:
    """It ends on time, and the request in flight is aborted."""
    deliverer = FakeDeliverer()
    worker = started(deliverer, abort=deliverer.released.release)
    worker.queue.put(records([0]))
    assert deliverer.taken.acquire(timeout=LIMIT_S)
    worker.stop()
    assert not worker.drain(0)
    assert worker.drain(LIMIT_S)


def test_a_stopped_delivery_ends_the_thread_without_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The records that it has processed count."""
    deliverer = FakeDeliverer(error=Stopped())
    worker = started(deliverer)
    worker.queue.put(records([0, 1]))
    deliverer.released.release()
    worker.stop()
    assert worker.drain(LIMIT_S)
    assert worker.failure is None
    assert not caplog.records


def test_an_unexpected_error_is_kept_for_the_thread_that_polls() -> None:
    """A thread never ends unnoticed."""
    deliverer = FakeDeliverer(error=ZeroDivisionError())
    worker = started(deliverer)
    worker.queue.put(records([0, 1]))
    deliverer.released.release()
    assert worker.drain(LIMIT_S)
    assert isinstance(worker.failure, ZeroDivisionError)
    assert worker.processed_to == 1
