"""Dead letters: records that the function cannot process, with the reason."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from confluent_kafka import KafkaError

from local.kafka_trigger.delivering.dead_letter_size import (
    OMISSION_FIELDS,
    WHOLE,
    DeadLetterSize,
    Header,
    omission_metadata,
)
from local.kafka_trigger.record import Record

PREFIX = "dlq_"
MAX_ERROR = 1024  # characters that go into a header

Reason = Literal["refused", "attempts", "age"]

log = logging.getLogger(__name__)


class DeadLetter(NamedTuple):
    """A record that was given up: its last HTTP status, if any, its requests, and the last error.

    `reason`: the function rejects it (`refused`), or it failed too often, or for too long.
    `is_unavailable` if the function was not available.
    """

    record: Record
    status: int | None
    attempts: int
    error: str
    reason: Reason
    is_unavailable: bool = False


class NotWritten(NamedTuple):
    """A dead letter that is not acknowledged yet, and why."""

    letter: DeadLetter
    detail: str


class DeadLetterSink(Protocol):
    """The destination of a trigger's dead letters."""

    def write(self, letters: Sequence[DeadLetter]) -> list[NotWritten]:
        """Write dead letters; returns those that are to be written again."""


class DeadLetterLog:
    """The destination without a dead-letter topic: each dead letter is logged, and dropped."""

    def __init__(self, trigger: str) -> None:
        self._trigger = trigger

    def write(self, letters: Sequence[DeadLetter]) -> list[NotWritten]:
        """Log each dead letter."""
        for letter in letters:
            log.error("record dropped", extra={"fields": log_fields(letter, self._trigger)})
        return []


def dead_letter_headers(
    letter: DeadLetter,
    trigger: str,
    now: datetime,
    size: DeadLetterSize = WHOLE,
    cause: KafkaError | None = None,
) -> list[Header]:
    """Return the record's own headers, followed by its origin and what failed.

    `size` says how much of the record the dead letter contains, and `cause` why not all. If the
    record was a dead letter before, the new metadata replace the old ones.
    """
    record = letter.record
    failure_metadata = {
        "topic": record.topic(),
        "partition": record.partition(),
        "offset": record.offset(),
        "trigger": trigger,
        "status": letter.status or "none",
        "attempts": letter.attempts,
        "error": letter.error[:MAX_ERROR],
        "time": now.isoformat(timespec="milliseconds"),
    }
    replaced = {PREFIX + name for name in (*failure_metadata, *OMISSION_FIELDS)}
    metadata = {**failure_metadata, **omission_metadata(record, size, cause)}
    kept = [header for header in size.headers_of(record) if header[0] not in replaced]
    return [*kept, *((PREFIX + name, str(value)) for name, value in metadata.items())]


def log_fields(letter: DeadLetter, trigger: str) -> dict[str, object]:
    """Return what the log contains of a dead letter."""
    return {
        "trigger": trigger,
        "topic": letter.record.topic(),
        "partition": letter.record.partition(),
        "offset": letter.record.offset(),
        "attempts": letter.attempts,
        "error": letter.error[:MAX_ERROR],
    }
