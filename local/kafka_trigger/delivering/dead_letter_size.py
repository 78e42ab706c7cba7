"""The part of its record that a dead letter contains: less if the whole is too large."""

from collections.abc import Iterable
from typing import NamedTuple

from confluent_kafka import KafkaError

from local.kafka_trigger.record import Record

Header = tuple[str, str | bytes | None]

OMISSION_FIELDS = ("omitted", "omitted_because", "record_bytes", "record_timestamp")
LONG_HEADER = 256  # bytes of its name and its value
TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}


class DeadLetterSize(NamedTuple):
    """The parts of a record that a dead letter contains; `omits` names those left out."""

    omits: str = ""
    has_value: bool = True
    max_header_bytes: float = float("inf")  # below 0 there are no headers
    has_key: bool = True

    def key_of(self, record: Record) -> bytes | None:
        """Return the dead letter's key."""
        return record.key() if self.has_key else None

    def value_of(self, record: Record) -> bytes | None:
        """Return its value: not null for one left out, as a tombstone would delete others."""
        value = record.value()
        return value if self.has_value or value is None else b""

    def headers_of(self, record: Record) -> list[Header]:
        """Return those of the record's own headers that it contains."""
        headers = record.headers() or ()
        return [each for each in headers if header_bytes(each) <= self.max_header_bytes]


WHOLE = DeadLetterSize()
SMALLER = (
    DeadLetterSize("value", has_value=False),
    DeadLetterSize("value, long headers", has_value=False, max_header_bytes=LONG_HEADER),
    DeadLetterSize("value, headers", has_value=False, max_header_bytes=-1),
    DeadLetterSize("value, headers, key", has_value=False, max_header_bytes=-1, has_key=False),
)


def omission_metadata(
    record: Record, size: DeadLetterSize, cause: KafkaError | None
) -> dict[str, object]:
    """Return what was left out of a dead letter and why, and how to identify its record."""
    if size is WHOLE:
        return {}
    values = (
        size.omits,
        cause.str() if cause else "",
        record_bytes(record.key(), record.value(), record.headers() or ()),
        record.timestamp()[1],
    )
    return dict(zip(OMISSION_FIELDS, values, strict=True))


def record_bytes(key: bytes | None, value: bytes | None, headers: Iterable[Header]) -> int:
    """Return the bytes of a record's key, value and headers, without Kafka's own."""
    return len(key or b"") + len(value or b"") + sum(map(header_bytes, headers))


def header_bytes(header: Header) -> int:
    """Return the bytes of a header's name and value."""
    name, value = header
    return len(name.encode()) + len(value.encode() if isinstance(value, str) else value or b"")


def is_too_large(error: object) -> bool:
    """Return whether the client or the broker rejected a record for its size."""
    return isinstance(error, KafkaError) and error.code() in TOO_LARGE
