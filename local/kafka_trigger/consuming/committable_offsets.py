"""The offsets that partitions may commit, behind offsets that have no record."""

from collections.abc import Iterable
from typing import NamedTuple


class PartitionEnd(NamedTuple):
    """A partition's end as the client met it, and the offset after the last record before it."""

    offset: int
    enqueued_to: int | None


class CommittableOffsets:
    """Tells how far partitions may be committed, given how far their records are processed.

    Transactions and compaction leave offsets without a record, also at a partition's end. The
    client skips them and reports the end that it meets; all records before that have been enqueued
    by then. Written by the thread that polls, read by any other. `processed_to` is the offset
    before which all records are processed, None before any is.
    """

    def __init__(self) -> None:
        self._enqueued_to: dict[int, int] = {}
        self._ends: dict[int, PartitionEnd] = {}

    def record_enqueued(self, partition: int, enqueued_to: int) -> None:
        """Set the offset after the last record of a partition that was enqueued."""
        self._enqueued_to[partition] = enqueued_to

    def record_end(self, partition: int, offset: int) -> None:
        """Set the offset where a partition ends, when all records before it are enqueued."""
        self._ends[partition] = PartitionEnd(offset, self._enqueued_to.get(partition))

    def forget(self, partitions: Iterable[int]) -> None:
        """Forget partitions that are revoked."""
        for partition in partitions:
            self._enqueued_to.pop(partition, None)
            self._ends.pop(partition, None)

    def committable(self, partition: int, processed_to: int | None) -> int | None:
        """Return the offset that a partition may commit; None if there is none yet."""
        end = self._ends.get(partition)
        if end is None or end.offset == 0 or _is_before(processed_to, end.enqueued_to):
            return processed_to
        return max(end.offset, processed_to or 0)

    def is_caught_up(self, partition: int, processed_to: int | None) -> bool:
        """Return whether all records are processed that the client can have received by now."""
        end = self._ends.get(partition)
        if end is None or self._enqueued_to.get(partition) != end.enqueued_to:
            return False
        return not _is_before(processed_to, end.enqueued_to)


def _is_before(processed_to: int | None, enqueued_to: int | None) -> bool:
    return enqueued_to is not None and (processed_to is None or processed_to < enqueued_to)
