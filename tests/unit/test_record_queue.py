"""The queue of records that wait for delivery."""

import threading
from collections.abc import Callable

from local.kafka_trigger.consuming.record_queue import BATCHES_AHEAD, RecordQueue, capacity
from tests.support.builders.records import record, records


def queue(
    batch_size: int = 3,
    batch_bytes: int = 1000,
    window_s: float = 0,
    clock: Callable[[], float] = lambda: 0,
) -> RecordQueue:
    """A queue of small batches."""
    return RecordQueue(
        batch_size=batch_size, batch_bytes=batch_bytes, window_s=window_s, clock=clock
    )


def taken(of: RecordQueue) -> list[int]:
    """The offsets of the next batch."""
    return [each.offset() for each in of.take()]


def test_batches_are_in_order_and_of_limited_size() -> None:
    """A batch takes what is there, up to the batch size."""
    waiting = queue()
    waiting.put(records([0, 1]))
    waiting.put(records([5, 6, 7]))
    assert [taken(waiting), taken(waiting)] == [[0, 1, 5], [6, 7]]


def test_batches_are_of_limited_bytes() -> None:
    """A batch ends before the record that would make it too large; that one alone is a batch."""
    waiting = queue(batch_size=10, batch_bytes=100)
    sizes = [40, 60, 1, 500, 100, 100]
    waiting.put([record(offset, b"x" * size) for offset, size in enumerate(sizes)])
    assert [taken(waiting) for _ in range(5)] == [[0, 1], [2], [3], [4], [5]]


def test_tombstones_have_no_bytes() -> None:
    """A null value counts as a record, not as bytes."""
    waiting = queue(batch_bytes=1)
    waiting.put([record(offset, None) for offset in range(3)])
    assert taken(waiting) == [0, 1, 2]


def test_a_batch_waits_for_its_window_to_end() -> None:
    """With a window, an incomplete batch waits for further records."""
    waiting = queue(window_s=3600)
    waiting.put(records([0, 1]))
    batches: list[list[int]] = []
    thread = threading.Thread(target=lambda: batches.append(taken(waiting)))
    thread.start()
    thread.join(0.05)
    assert batches == []
    waiting.put(records([2, 3]))
    thread.join(10)
    assert batches == [[0, 1, 2]]


def test_a_window_begins_with_its_first_record() -> None:
    """Not when a batch is requested."""
    times = iter([100.0, 105.1, 105.1])
    waiting = queue(window_s=5, clock=lambda: next(times))
    waiting.put(records([0]))
    assert taken(waiting) == [0]


def test_a_batch_with_enough_bytes_ends_its_window() -> None:
    """It does not wait for further records."""
    waiting = queue(batch_bytes=10, window_s=3600)
    waiting.put([record(0, b"x" * 10)])
    assert taken(waiting) == [0]


def test_a_closed_queue_returns_no_records() -> None:
    """They are for another owner."""
    waiting = queue()
    waiting.put(records([0]))
    waiting.close()
    assert taken(waiting) == []


def test_closing_wakes_up_waiting_threads() -> None:
    """Both for the first record and for the end of a window."""
    for content in ([], [0]):
        waiting = queue(window_s=3600)
        waiting.put(records(content))
        batches: list[list[int]] = []
        thread = threading.Thread(target=lambda: batches.append(taken(waiting)))  # noqa: B023 (joined in its round)
        thread.start()
        waiting.close()
        thread.join(10)
        assert batches == [[]]


def test_a_queue_is_full_by_records_and_low_when_half_empty() -> None:
    """It holds some batches, and is filled again while there are batches left."""
    waiting = queue(batch_size=500)
    waiting.put(records(range(capacity(500) - 1)))
    assert not waiting.is_full
    waiting.put(records([9999]))
    assert waiting.is_full
    assert not waiting.wait_for_room(0)
    taken(waiting)
    assert waiting.wait_for_room(0)
    assert not waiting.is_low
    taken(waiting)
    assert waiting.is_low


def test_a_queue_is_full_by_bytes() -> None:
    """A few large records fill it as well."""
    waiting = queue(batch_bytes=100)
    waiting.put([record(offset, b"x" * 100) for offset in range(BATCHES_AHEAD)])
    assert waiting.is_full
    taken(waiting)
    taken(waiting)
    assert waiting.is_low


def test_small_batches_have_a_large_queue() -> None:
    """Else a partition with a batch size of 1 would be paused after each few records."""
    assert capacity(1) == 1000
    assert capacity(500) == 2000
