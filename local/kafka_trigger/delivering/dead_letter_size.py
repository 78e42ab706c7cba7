"""How much of its record a dead letter holds: less where all of it is too large for its topic."""

from collections.abc import Iterable
from typing import NamedTuple

from confluent_kafka import KafkaError

from local.kafka_trigger.consuming.record import Record

Header = tuple[str, str | bytes | None]

OMISSION = ("omitted", "omitted_because", "record_bytes", "record_timestamp")
LONG_HEADER = 256  # bytes of its name and its value
TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE}


class DeadLetterSize(NamedTuple):
    """What of a record is left out: in words, and as the parts that are kept."""

    omits: str = ""
    has_value: bool = True
    longest_header: float = float("inf")  # bytes; below 0 there is none
    has_key: bool = True

    def key_of(self, record: Record) -> bytes | None:
        """The key that the dead letter has."""
        return record.key() if self.has_key else None

    def value_of(self, record: Record) -> bytes | None:
        """The value that it has: to leave it out makes no tombstone, which would delete others."""
        value = record.value()
        return value if self.has_value or value is None else b""

    def headers_of(self, record: Record) -> list[Header]:
        """The record's own headers that it has."""
        headers = record.headers() or ()
        return [each for each in headers if header_bytes(each) <= self.longest_header]


WHOLE = DeadLetterSize()
SMALLER = (
    DeadLetterSize("value", has_value=False),
    DeadLetterSize("value, long headers", has_value=False, longest_header=LONG_HEADER),
    DeadLetterSize("value, headers", has_value=False, longest_header=-1),
    DeadLetterSize("value, headers, key", has_value=False, longest_header=-1, has_key=False),
)


def omission(record: Record, form: DeadLetterSize, because: KafkaError | None) -> dict[str, object]:
    """What a dead letter tells of what it leaves out, and by what its record is known again."""
    if form is WHOLE:
        return {}
    told = (
        form.omits,
        because.str() if because else "",
        record_bytes(record.key(), record.value(), record.headers() or ()),
        record.timestamp()[1],
    )
    return dict(zip(OMISSION, told, strict=True))


def record_bytes(key: bytes | None, value: bytes | None, headers: Iterable[Header]) -> int:
    """The bytes of a record's key, value and headers, without what Kafka adds."""
    return len(key or b"") + len(value or b"") + sum(map(header_bytes, headers))


def header_bytes(header: Header) -> int:
    """The bytes of a header's name and value."""
    name, value = header
    return len(name.encode()) + len(value.encode() if isinstance(value, str) else value or b"")


def is_too_large(error: object) -> bool:
    """Whether a record was refused for its size, by the client or by the broker."""
    return isinstance(error, KafkaError) and error.code() in TOO_LARGE
