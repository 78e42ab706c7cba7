"""One assigned partition, and the thread that delivers it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from local.kafka_trigger.consuming.partition import Partition
from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.consuming.record_queue import RecordQueue
from local.kafka_trigger.delivering.delivery import Stopped
from tests.support.builders.records import records

LIMIT_S = 10


@dataclass
class FakeDelivery:
    """A delivery that holds each batch until it is let go, and sees whether two are under way."""

    stopping: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    taken: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    batches: list[list[int]] = field(default_factory=list)
    error: Exception | None = None

    def deliver(self, batch: Sequence[Record], done: Callable[[int], None]) -> None:
        """Deliver half of a batch, wait, and deliver the rest."""
        offsets = [each.offset() for each in batch]
        self.batches.append(offsets)
        done(offsets[0] + 1)
        self.taken.release()
        assert self.let_go.acquire(timeout=LIMIT_S)
        if self.error:
            raise self.error
        done(offsets[-1] + 1)


def started(delivery: FakeDelivery, abort: Callable[[], None] = lambda: None) -> Partition:
    """A partition that has begun, with batches of two."""
    queue = RecordQueue(batch_size=2, batch_bytes=1000, window_s=0)
    partition = Partition(3, queue, delivery, delivery.stopping, abort)
    partition.start()
    return partition


def test_batches_are_delivered_one_after_the_other() -> None:
    """One batch is in flight at a time, and the position follows what is done."""
    delivery = FakeDelivery()
    partition = started(delivery)
    partition.queue.put(records(range(4)))
    assert delivery.taken.acquire(timeout=LIMIT_S)
    assert (partition.position, delivery.batches) == (1, [[0, 1]])
    delivery.let_go.release()
    assert delivery.taken.acquire(timeout=LIMIT_S)
    assert (partition.position, delivery.batches) == (3, [[0, 1], [2, 3]])
    delivery.let_go.release()
    partition.stop()
    assert partition.drain(LIMIT_S)
    assert partition.position == 4


def test_what_is_here_and_not_done_can_be_seen() -> None:
    """The rest of the batch under way, and the oldest record, which may wait in the queue."""
    delivery = FakeDelivery()
    partition = started(delivery)
    assert (partition.in_flight, partition.oldest) == ([], None)
    waiting = records([0, 1, 2])
    partition.queue.put(waiting)
    assert delivery.taken.acquire(timeout=LIMIT_S)
    assert (partition.in_flight, partition.oldest) == ([waiting[1]], waiting[1])
    delivery.let_go.release()
    assert delivery.taken.acquire(timeout=LIMIT_S)
    assert (partition.in_flight, partition.oldest) == ([], None)
    delivery.let_go.release()
    assert partition.is_alive
    partition.stop()
    assert partition.drain(LIMIT_S)
    assert not partition.is_alive
    partition.queue.put(waiting[2:])
    assert partition.oldest is waiting[2]


def test_what_is_in_flight_is_finished_and_nothing_else_begun() -> None:
    """A stop waits for the batch under way; those behind it are for the next owner."""
    delivery = FakeDelivery()
    partition = started(delivery)
    partition.queue.put(records(range(4)))
    assert delivery.taken.acquire(timeout=LIMIT_S)
    partition.stop()
    assert delivery.stopping.is_set()
    delivery.let_go.release()
    assert partition.drain(LIMIT_S)
    assert delivery.batches == [[0, 1]]
    assert partition.position == 2


def test_a_partition_without_work_stops_at_once() -> None:
    """The thread does not wait for a record, and nothing is done."""
    partition = started(FakeDelivery())
    assert partition.position is None
    partition.stop()
    assert partition.drain(LIMIT_S)


def test_what_is_not_finished_in_time_is_aborted() -> None:
    """The drain ends on time, and the request under way is ended."""
    delivery = FakeDelivery()
    partition = started(delivery, abort=delivery.let_go.release)
    partition.queue.put(records([0]))
    assert delivery.taken.acquire(timeout=LIMIT_S)
    partition.stop()
    assert not partition.drain(0)
    assert partition.drain(LIMIT_S)


def test_a_delivery_that_stops_ends_the_thread_quietly(caplog: pytest.LogCaptureFixture) -> None:
    """What it had done by then counts."""
    delivery = FakeDelivery(error=Stopped())
    partition = started(delivery)
    partition.queue.put(records([0, 1]))
    delivery.let_go.release()
    partition.stop()
    assert partition.drain(LIMIT_S)
    assert partition.failure is None
    assert not caplog.records


def test_an_unexpected_error_is_kept_for_who_polls() -> None:
    """A thread never dies unseen."""
    delivery = FakeDelivery(error=ZeroDivisionError())
    partition = started(delivery)
    partition.queue.put(records([0, 1]))
    delivery.let_go.release()
    assert partition.drain(LIMIT_S)
    assert isinstance(partition.failure, ZeroDivisionError)
    assert partition.position == 1
