"""The rule when a record may be delivered again that was accepted before."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.integration.walk.history import (
    Committed,
    Delivered,
    Fact,
    Killed,
    Overrun,
    Responded,
    Restarted,
)


def nothing_is_repeated_without_cause(facts: Sequence[Fact]) -> Iterator[str]:
    """An accepted and acknowledged record is delivered again for four reasons only.

    Its instance was killed before the offset was committed; or a record before it in its
    partition is not settled yet, so that no offset after that one can be committed; or the broker
    was restarted, and the partition's owner lost it; or the partition was revoked, and did not
    finish within `drain_s`: once for each restart, and for each overrun. Only the trigger knows
    when a dead letter was acknowledged, so its record counts as settled once an offset after it is
    committed. A committed record is never delivered again.
    """
    seen = _Seen(Counter(fact.partition for fact in facts if isinstance(fact, Overrun)))
    for fact in facts:
        if isinstance(fact, Delivered):
            yield from seen.judge(fact)
        seen.note(fact)


class _Seen:
    def __init__(self, overruns: Counter[int]) -> None:
        self._overruns = overruns
        self._deliveries: dict[int, Delivered] = {}
        self._by: dict[tuple[int, int], str] = {}  # the instance that delivered an accepted record
        self._killed: set[str] = set()
        self._committed: dict[int, int] = defaultdict(int)
        self._unsettled_from: dict[int, int] = defaultdict(int)
        self._restarts = 0
        self._returns: dict[int, int] = defaultdict(int)

    def note(self, fact: Fact) -> None:
        if isinstance(fact, Delivered):
            self._deliveries[fact.delivery] = fact
            self._unsettle(fact)
        elif isinstance(fact, Responded) and fact.clear:
            delivery = self._deliveries[fact.delivery]
            accepted = {(delivery.partition, offset) for offset in fact.accepted}
            self._by |= dict.fromkeys(accepted, delivery.instance)
        elif isinstance(fact, Committed):
            self._committed[fact.partition] = fact.offset
        elif isinstance(fact, Killed):
            self._killed.add(fact.instance)
        elif isinstance(fact, Restarted):
            self._restarts += 1

    def judge(self, fact: Delivered) -> Iterator[str]:
        unsettled_from = self._settled_up_to(fact.partition)
        for offset in fact.offsets:
            by = self._by.get((fact.partition, offset))
            if offset < self._committed[fact.partition]:
                yield f"{offset} was committed before {fact}"
            elif (
                by
                and by not in self._killed
                and offset < unsettled_from
                and not self._is_returned(fact)
            ):
                yield f"{offset} was accepted from {by} before {fact}"

    def _is_returned(self, fact: Delivered) -> bool:
        """Whether a restart or an overrun may be why; then all from there on may come again."""
        if self._returns[fact.partition] == self._restarts + self._overruns[fact.partition]:
            return False
        self._returns[fact.partition] += 1
        for partition, offset in list(self._by):
            if partition == fact.partition and offset >= fact.offsets[0]:
                del self._by[partition, offset]
        return True

    def _settled_up_to(self, partition: int) -> int:
        """The first offset of a partition that is not settled."""
        record = (partition, max(self._unsettled_from[partition], self._committed[partition]))
        while record in self._by:
            record = (partition, record[1] + 1)
        self._unsettled_from[partition] = record[1]
        return record[1]

    def _unsettle(self, fact: Delivered) -> None:
        """A record that is delivered again is settled only by its new answer."""
        for offset in fact.offsets:
            self._by.pop((fact.partition, offset), None)
        first = min(self._unsettled_from[fact.partition], fact.offsets[0])
        self._unsettled_from[fact.partition] = first
