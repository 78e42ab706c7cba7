"""A dead letter as it is stored in its topic, with the original record if that is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

from local.kafka_trigger.delivering.dead_letter import PREFIX
from local.kafka_trigger.delivering.dead_letter_size import OMISSION_FIELDS, Header, record_bytes
from local.kafka_trigger.record import Record

FAILURE_METADATA = (
    "topic",
    "partition",
    "offset",
    "trigger",
    "status",
    "attempts",
    "error",
    "time",
)
REDRIVES = f"{PREFIX}redrives"  # header of a redriven record: how often it has been redriven
ADDED_HEADERS = {PREFIX + name for name in (*FAILURE_METADATA, *OMISSION_FIELDS)} | {REDRIVES}
UNKNOWN_PARTITION = -1
GONE = "the record is in its own topic only, and no longer there"


class RecordContent(NamedTuple):
    """The key, value and headers of a record, independent of its topic and offset."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]

    @staticmethod
    def of(record: Record) -> "RecordContent":
        """Return the content of a record."""
        return RecordContent(record.key(), record.value(), record.headers() or ())


@dataclass(frozen=True, kw_only=True)
class FailureMetadata:
    """Why a record became a dead letter, as text; None for what the dead letter does not tell."""

    trigger: str
    status: str | None = None
    attempts: str | None = None
    error: str | None = None
    time: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoredDeadLetter:
    """A dead letter, its original record, and why that was rejected.

    Attributes:
        dlq_record: The record of the dead-letter topic that holds the dead letter.
        part: Its position in `dlq_record`, where that holds several (AWS Lambda's may).
        topic: The original record's topic.
        partition: The original record's partition, or UNKNOWN_PARTITION.
        offset: The original record's offset.
        original: The original record's content; None if it is only in the original topic.
        failure: Why the record became a dead letter.
        omitted: What of the record was too large for the dead-letter topic; None if nothing was.
        original_bytes: The original record's size, where the dead letter tells it.
        original_timestamp: Its timestamp (milliseconds since 1970), where the dead letter tells it.
    """

    dlq_record: Record
    part: int = 0
    topic: str
    partition: int
    offset: int
    original: RecordContent | None
    failure: FailureMetadata
    omitted: str | None = None
    original_bytes: int | None = None
    original_timestamp: int | None = None

    @property
    def id(self) -> str:
        """Its place in the dead-letter topic: partition:offset, then .part after the first."""
        position = f"{self.dlq_record.partition()}:{self.dlq_record.offset()}"
        return f"{position}.{self.part}" if self.part else position

    @property
    def key(self) -> bytes | None:
        """The original record's key, which the record in the dead-letter topic has too."""
        return self.original.key if self.original else self.dlq_record.key()

    @property
    def size(self) -> int | None:
        """The bytes of the original record, without what Kafka adds; None if unknown."""
        if self.original:
            return record_bytes(self.original.key, self.original.value, self.original_headers())
        return self.original_bytes

    @property
    def redrives(self) -> int:
        """How often the record had been redriven before."""
        headers = (self.original or RecordContent.of(self.dlq_record)).headers
        counts = [value for name, value in headers if name == REDRIVES and value]
        return int(counts[-1]) if counts and counts[-1].isdigit() else 0

    @cached_property
    def digest(self) -> bytes:
        """A digest of the original record, 16 bytes: equal for copies of a dead letter.

        It covers the content, or else size and timestamp: a topic that was created anew has
        other records at the same offsets.
        """
        value = self.original.value if self.original else None
        facts = [self.original_bytes, self.original_timestamp] if self.omitted else []
        source = (self.topic, self.partition, self.offset)
        head = repr((*source, self.key, value is None, *facts)).encode()
        return blake2b(head + (value or b""), digest_size=16).digest()

    def is_of(self, record: Record) -> bool:
        """Tell whether a record of its topic and partition is the original record.

        The topic may have been created anew. Of a single record Lambda tells no partition, but
        its timestamp.
        """
        if record.offset() != self.offset:
            return False
        has_same_time = record.timestamp()[1] == self.original_timestamp
        if self.omitted is not None:
            has_same_size = record_bytes(*RecordContent.of(record)) == self.original_bytes
            has_same_key = "key" in self.omitted or record.key() == self.key
            return has_same_size and has_same_time and has_same_key
        if self.partition == UNKNOWN_PARTITION:
            return has_same_time and record.key() == self.key
        return True

    def original_headers(self) -> list[Header]:
        """Return the headers that the original record had before it became a dead letter."""
        headers = self.original.headers if self.original else ()
        return [header for header in headers if header[0] not in ADDED_HEADERS]

    def redriven_headers(self) -> list[Header]:
        """Return the original headers, and one that counts the redrives."""
        return [*self.original_headers(), (REDRIVES, str(self.redrives + 1))]
