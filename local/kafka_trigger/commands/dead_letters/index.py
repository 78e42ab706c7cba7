"""An index of the dead letters in a topic, in little memory however many there are."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Literal, NamedTuple

from local.kafka_trigger.commands.dead_letters.lambda_format import parse_lambda_dead_letters
from local.kafka_trigger.commands.dead_letters.markers import (
    RESOLUTIONS,
    Marker,
    Resolution,
    parse_marker,
)
from local.kafka_trigger.commands.dead_letters.stored_dead_letter import StoredDeadLetter
from local.kafka_trigger.commands.dead_letters.trigger_format import parse_dead_letter
from local.kafka_trigger.commands.topic_reader import OffsetRange
from local.kafka_trigger.record import Record

State = Literal["open"] | Resolution

DIGESTS = 2**27  # 16 MiB of bits: of a million dead letters some 4,000 seem to be copies at first


class Entry(NamedTuple):
    """A dead letter, its state, and the IDs that name it: its own, and those of its copies."""

    dead_letter: StoredDeadLetter
    state: State
    ids: Set[str]


class BitSet:
    """A set of integers from 0 to below `size`, which takes one bit for each."""

    def __init__(self, size: int) -> None:
        self._bytes = bytearray((size + 7) // 8)

    def add(self, number: int) -> None:
        """Add an integer."""
        self._bytes[number >> 3] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        return bool(self._bytes[number >> 3] & 1 << (number & 7))


class DeadLetterIndex:
    """The dead letters of a trigger, each original record once, with their states.

    Those that AWS Lambda wrote belong to the trigger whose `topic` the original record is from.

    A dead letter may have been written twice. The first copy stands for all, and a marker of one
    closes all. Markers and copies come after a dead letter, so the topic is read once for these,
    and again with each use of `entries`. `read` reads all of `ranges`, always in the same order.
    Memory holds no dead letter, only a bit for each offset, and the IDs of copies.
    """

    def __init__(
        self,
        ranges: Mapping[int, OffsetRange],
        read: Callable[[], Iterable[Record]],
        trigger: str,
        topic: str,
    ) -> None:
        self._ranges = ranges
        self._read = read
        self._trigger = trigger
        self._topic = topic
        self._marked = {
            (resolution, partition): BitSet(offsets.end - offsets.start)
            for resolution in RESOLUTIONS.values()
            for partition, offsets in ranges.items()
        }
        self._marked_parts: set[Marker] = set()
        self._copies: dict[bytes, list[str]] = defaultdict(list)
        self._find_markers_and_copies()

    def entries(self) -> Iterator[Entry]:
        """Yield the dead letters of each partition in the order in which they were written."""
        repeated: set[bytes] = set()
        for dead_letter in (each for record in self._read() for each in self._parse(record)):
            if dead_letter.digest in repeated:
                continue
            copies = self._copies.get(dead_letter.digest, ())
            if copies:
                repeated.add(dead_letter.digest)
            ids = {dead_letter.id, *copies}
            yield Entry(dead_letter, self._state(ids), ids)

    def open(self) -> Iterator[StoredDeadLetter]:
        """Yield the dead letters that are neither redriven nor discarded."""
        return (each.dead_letter for each in self.entries() if each.state == "open")

    def _find_markers_and_copies(self) -> None:
        """Keep each marker, and the ID of each dead letter whose digest was there before."""
        digests = BitSet(DIGESTS)
        for record in self._read():
            if marker := parse_marker(record):
                self._add_marker(marker)
                continue
            for dead_letter in self._parse(record):
                digest = int.from_bytes(dead_letter.digest[:8]) % DIGESTS
                if digest in digests:
                    self._copies[dead_letter.digest].append(dead_letter.id)
                digests.add(digest)

    def _parse(self, record: Record) -> list[StoredDeadLetter]:
        """Return the trigger's dead letters in a record: none, one, or several of Lambda's."""
        if parse_marker(record):
            return []
        if dead_letter := parse_dead_letter(record):
            return [dead_letter] if dead_letter.failure.trigger == self._trigger else []
        return parse_lambda_dead_letters(record, self._topic)

    def _add_marker(self, marker: Marker) -> None:
        if position := self._position(marker.dead_letter_id):
            partition, index = position
            self._marked[marker.resolution, partition].add(index)
        elif re.fullmatch(r"\d+:\d+\.\d+", marker.dead_letter_id):
            self._marked_parts.add(marker)

    def _state(self, ids: Set[str]) -> State:
        for resolution in RESOLUTIONS.values():
            if any(self._is_marked(Marker(each, resolution)) for each in ids):
                return resolution
        return "open"

    def _is_marked(self, marker: Marker) -> bool:
        if marker in self._marked_parts:
            return True
        if (position := self._position(marker.dead_letter_id)) is None:
            return False
        partition, index = position
        return index in self._marked[marker.resolution, partition]

    def _position(self, dead_letter_id: str) -> tuple[int, int] | None:
        """Return the partition of an ID and its index in the range; None if it is not in one."""
        try:
            partition, offset = map(int, dead_letter_id.split(":"))
        except ValueError:
            return None
        offsets = self._ranges.get(partition)
        if offsets is None or not offsets.start <= offset < offsets.end:
            return None
        return partition, offset - offsets.start
