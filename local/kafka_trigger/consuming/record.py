"""A Kafka record, as the client hands it over: what the rest of the package needs of it."""

import logging
from typing import Protocol

from confluent_kafka import Message

log = logging.getLogger(__name__)


class Record(Protocol):
    """The face of `confluent_kafka.Message` for one that is a record and no error."""

    def topic(self) -> str:
        """Its topic."""

    def partition(self) -> int:
        """Its partition."""

    def offset(self) -> int:
        """Its offset in the partition; the next record's may be more than one higher."""

    def key(self) -> bytes | None:
        """Its key, if it has one."""

    def value(self) -> bytes | None:
        """Its value; None is a tombstone."""

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        """Its headers in order; a name may come more than once."""

    def timestamp(self) -> tuple[int, int]:
        """The kind of its timestamp (0: none) and the milliseconds since 1970."""

    def __len__(self) -> int:
        """The bytes of its value."""


def readable(message: Message) -> Message:
    """The message itself; without its headers if one has a name that is no UTF-8.

    To ask the client for such headers a second time may end the process.
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
