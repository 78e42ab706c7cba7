"""A dead letter as it lies in its topic: the record it was, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

from local.kafka_trigger.dead_letter import PREFIX
from local.kafka_trigger.record import Record

Header = tuple[str, str | bytes | None]

STORY = ("topic", "partition", "offset", "trigger", "status", "attempts", "error", "time")
REDRIVES = f"{PREFIX}redrives"  # on a record that was brought home: how often that was
REDRIVEN = f"{PREFIX}redriven"  # on a mark in the dead-letter topic: the id of a letter


@dataclass(frozen=True)
class Letter:
    """A dead letter. `of` reads one, or None from a record that a trigger did not bury."""

    record: Record
    topic: str
    partition: int
    offset: int
    told: Mapping[str, str]

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
        return Letter(record, told["topic"], partition, offset, told)

    @property
    def id(self) -> str:
        """Where it lies in the dead-letter topic: partition:offset."""
        return f"{self.record.partition()}:{self.record.offset()}"

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
        record = self.record
        value = record.value()
        head = repr((*self.place, record.key(), value is None)).encode()
        return blake2b(head + (value or b""), digest_size=16).digest()

    def headers_at_home(self) -> list[Header]:
        """The record's own headers, without those of its burial, and one that counts redrives."""
        burial = {PREFIX + name for name in STORY} | {REDRIVES}
        own = [header for header in self.record.headers() or () if header[0] not in burial]
        return [*own, (REDRIVES, str(self.redrives + 1))]

    @property
    def redrives(self) -> int:
        """How often it had been brought home before."""
        count = self.told.get("redrives", "")
        return int(count) if count.isdecimal() else 0


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
