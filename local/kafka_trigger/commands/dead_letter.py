"""A dead letter as it lies in its topic: the record it was, and what became of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Literal, NamedTuple, get_args

from local.kafka_trigger.delivering.dead_letter import PREFIX
from local.kafka_trigger.delivering.dead_letter_size import OMISSION_FIELDS, Header, record_bytes
from local.kafka_trigger.record import Record

STORY = ("topic", "partition", "offset", "trigger", "status", "attempts", "error", "time")
REDRIVES = f"{PREFIX}redrives"  # on a record that was brought home: how often that was
GONE = "the record is in its own topic only, and no longer there"
ClosedState = Literal["redriven", "discarded"]
# On a mark in the dead-letter topic: what became of a letter. Its value is the letter's id.
MARKS: Mapping[str, ClosedState] = {f"{PREFIX}{state}": state for state in get_args(ClosedState)}


class Mark(NamedTuple):
    """The id of a letter, and what became of it."""

    letter_id: str
    state: ClosedState


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
class StoredDeadLetter:
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
    def of(record: Record) -> "StoredDeadLetter | None":
        """The dead letter that a record is, if it is one."""
        told = _story(record)
        if not told.keys() >= {"topic", "partition", "offset", "trigger"}:
            return None
        try:
            partition, offset = int(told["partition"]), int(told["offset"])
        except ValueError:
            return None
        content = None if "omitted" in told else Content.of(record)
        return StoredDeadLetter(record, told["topic"], partition, offset, told, content)

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

    @property
    def omitted(self) -> str | None:
        """What of the record was too large for the dead-letter topic; None if all is there."""
        return self.told.get("omitted")

    @property
    def size(self) -> int | None:
        """The bytes of its record, without what Kafka adds; None if nothing tells them."""
        if self.content:
            return record_bytes(self.content.key, self.content.value, self.own_headers())
        told = self.told.get("record_bytes", "")
        return int(told) if re.fullmatch(r"[0-9]{1,18}", told) else None

    def is_of(self, record: Record) -> bool:
        """Whether a record of its topic and partition is the one that it had no room for."""
        size = record_bytes(record.key(), record.value(), record.headers() or ())
        return (
            (record.offset(), size) == (self.offset, self.size)
            and str(record.timestamp()[1]) == self.told.get("record_timestamp")
            and ("key" in str(self.omitted) or record.key() == self.key)
        )

    @cached_property
    def origin(self) -> bytes:
        """A digest of what it was: the same for each copy, since a burial may have been repeated.

        The content belongs to it, or what is told of that: a topic that was made anew counts from
        0 again.
        """
        value = self.content.value if self.content else None
        instead = [self.told.get(name) for name in OMISSION_FIELDS[2:]] if self.omitted else []
        head = repr((*self.place, self.key, value is None, *instead)).encode()
        return blake2b(head + (value or b""), digest_size=16).digest()

    def headers_at_home(self) -> list[Header]:
        """The record's own headers, without those of its burial, and one that counts redrives."""
        return [*self.own_headers(), (REDRIVES, str(self.redrives + 1))]

    def own_headers(self) -> list[Header]:
        """The record's own headers."""
        burial = {PREFIX + name for name in (*STORY, *OMISSION_FIELDS)} | {REDRIVES}
        headers = self.content.headers if self.content else ()
        return [header for header in headers if header[0] not in burial]

    @property
    def redrives(self) -> int:
        """How often it had been brought home before."""
        headers = (self.content or Content.of(self.record)).headers
        counts = [value for name, value in headers if name == REDRIVES and value]
        return int(counts[-1]) if counts and counts[-1].isdigit() else 0


def mark_of(record: Record) -> Mark | None:
    """The mark that a record is, if it is one."""
    for name, value in record.headers() or ():
        if name in MARKS and value:
            return Mark(value.decode(errors="replace"), MARKS[name])
    return None


def _story(record: Record) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX): (value or b"").decode(errors="replace")
        for name, value in record.headers() or ()
        if name.startswith(PREFIX)
    }
