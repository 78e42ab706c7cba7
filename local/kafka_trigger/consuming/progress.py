"""How far partitions are settled, past the offsets at which there is no record."""

from collections.abc import Iterable
from typing import NamedTuple


class End(NamedTuple):
    """A partition's end as a consumer met it, and the offset after the last record before it."""

    offset: int
    handed_on: int | None


class Progress:
    """What of partitions was handed on, and which ends were met; `position` is what is settled.

    Transactions and compaction leave offsets without a record for a consumer, also at the end. The
    client passes over them and tells the end that it meets, so all before that can be delivered has
    been handed on by then. Written by the thread that polls, read by any other.
    """

    def __init__(self) -> None:
        self._handed_on: dict[int, int] = {}
        self._ends: dict[int, End] = {}

    def hand_on(self, number: int, after: int) -> None:
        """Note the offset after the last record of a partition that was handed on."""
        self._handed_on[number] = after

    def meet_end(self, number: int, offset: int) -> None:
        """Note that a partition ended at an offset, when all before it had been handed on."""
        self._ends[number] = End(offset, self._handed_on.get(number))

    def forget(self, numbers: Iterable[int]) -> None:
        """Forget partitions that are gone."""
        for number in numbers:
            self._handed_on.pop(number, None)
            self._ends.pop(number, None)

    def settled(self, number: int, position: int | None) -> int | None:
        """The offset before which all of a partition is settled; None if nothing is known."""
        end = self._ends.get(number)
        if end is None or end.offset == 0 or _is_before(position, end.handed_on):
            return position
        return max(end.offset, position or 0)

    def is_caught_up(self, number: int, position: int | None) -> bool:
        """Whether all is settled of a partition that a consumer can have by now."""
        end = self._ends.get(number)
        if end is None or self._handed_on.get(number) != end.handed_on:
            return False
        return not _is_before(position, end.handed_on)


def _is_before(position: int | None, handed_on: int | None) -> bool:
    return handed_on is not None and (position is None or position < handed_on)
