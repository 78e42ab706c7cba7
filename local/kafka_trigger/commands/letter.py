"""A dead letter as it lies in its topic: the record it was, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

from local.kafka_trigger.dead_letter import PREFIX
from local.kafka_trigger.record import Record

Header = tuple[str, str | bytes | None]

STORY = ("topic", "partition", "offset", "trigger", "status", "attempts", "error", "time")
REDRIVES = f"{PREFIX}redrives"  # on a record that was brought home: how often that was
REDRIVEN = f"{PREFIX}redriven"  # on a mark in the dead-letter topic: the id of a letter


class Content(NamedTuple):
    """What a record says, wherever it lies."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]

    @staticmethod
    def of(record: Record) -> "Content":
        """What a record says."""
        return Content(record.key(), record.value(), record.headers() or ())


@dataclass(frozen=True)
class Letter:
    """A dead letter. `of` reads one, or None from a record that a trigger did not bury.

    `record` is the one that lies in the dead-letter topic, and `content` what it was before; None
    is for one that is in its own topic only. Where `record` holds several, `part` counts them.
    """

    record: Record
    topic: str
    partition: int
    offset: int
    told: Mapping[str, str]
    content: Content | None
    part: int = 0

    @staticmethod
    def of(record: Record) -> "Letter | None":
        """The dead letter that a record is, if it is one."""
        told = _story(record)
        if not told.keys() >= {"topic", "partition", "offset", "trigger"}:
            return None
        try:
            partition, offset = int(told["partition"]), int(told["offset"])
        except ValueError:
            return None
        return Letter(record, told["topic"], partition, offset, told, Content.of(record))

    @property
    def id(self) -> str:
        """Where it lies in the dead-letter topic: partition:offset, and .part after the first."""
        place = f"{self.record.partition()}:{self.record.offset()}"
        return f"{place}.{self.part}" if self.part else place

    @property
    def key(self) -> bytes | None:
        """The record's key: it is that of its dead letter too."""
        return self.content.key if self.content else self.record.key()

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it was: topic, partition, offset."""
        return self.topic, self.partition, self.offset

    @property
    def trigger(self) -> str:
        """Who buried it."""
        return self.told["trigger"]

    @cached_property
    def origin(self) -> bytes:
        """A digest of what it was: the same for each copy, since a burial may have been repeated.

        The content belongs to it: a topic that was made anew counts from 0 again.
        """
        value = self.content.value if self.content else None
        head = repr((*self.place, self.key, value is None)).encode()
        return blake2b(head + (value or b""), digest_size=16).digest()

    def headers_at_home(self) -> list[Header]:
        """The record's own headers, without those of its burial, and one that counts redrives."""
        burial = {PREFIX + name for name in STORY} | {REDRIVES}
        headers = self.content.headers if self.content else ()
        own = [header for header in headers if header[0] not in burial]
        return [*own, (REDRIVES, str(self.redrives + 1))]

    @property
    def redrives(self) -> int:
        """How often it had been brought home before."""
        headers = self.content.headers if self.content else ()
        counts = [value for name, value in headers if name == REDRIVES and value]
        return int(counts[-1]) if counts and counts[-1].isdigit() else 0


def mark_of(record: Record) -> str | None:
    """The id of the letter that a record says to be redriven, if it is such a mark."""
    for name, value in record.headers() or ():
        if name == REDRIVEN and value:
            return value.decode(errors="replace")
    return None


def _story(record: Record) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX): (value or b"").decode(errors="replace")
        for name, value in record.headers() or ()
        if name.startswith(PREFIX)
    }
