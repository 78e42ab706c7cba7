"""A Kafka record as the client returns it."""

import logging
from typing import Protocol

from confluent_kafka import Message

log = logging.getLogger(__name__)


class Record(Protocol):
    """The methods of `confluent_kafka.Message` for a message that is a record and not an error."""

    def topic(self) -> str:
        """Return its topic."""

    def partition(self) -> int:
        """Return its partition."""

    def offset(self) -> int:
        """Return its offset in the partition; the next record's may be more than one higher."""

    def key(self) -> bytes | None:
        """Return its key, if it has one."""

    def value(self) -> bytes | None:
        """Return its value; None is a tombstone."""

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        """Return its headers in order; a name may occur more than once."""

    def timestamp(self) -> tuple[int, int]:
        """Return the type of its timestamp (0: none) and the milliseconds since 1970."""

    def __len__(self) -> int:
        """Return the size of its value in bytes."""


def age_s(record: Record, now: float) -> float | None:
    """Return the seconds since a record's timestamp, None without one; `now` is the Unix time."""
    timestamp_type, milliseconds = record.timestamp()
    return max(now - milliseconds / 1000, 0) if timestamp_type else None


def with_readable_headers(message: Message) -> Message:
    """Return the message itself, or a copy without headers if a header's name is not UTF-8.

    To ask the client for such headers a second time may crash the process.
    """
    try:
        message.headers()
    except (SystemError, UnicodeDecodeError):
        fields = {
            "topic": message.topic(),
            "partition": message.partition(),
            "offset": message.offset(),
        }
        log.warning("a header's name is no UTF-8: without headers", extra={"fields": fields})
        return Message(
            topic=message.topic(),
            partition=message.partition(),
            offset=message.offset(),
            key=message.key(),
            value=message.value(),
            timestamp=message.timestamp(),
        )
    return message
