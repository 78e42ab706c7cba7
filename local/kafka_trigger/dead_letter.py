"""Dead letters: records that cannot be taken, written whole to a topic, with why."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Literal, NamedTuple, Protocol

from confluent_kafka import KafkaError, KafkaException

from local.kafka_trigger.producer import RecordProducer
from local.kafka_trigger.record import Record

PREFIX = "dlq_"
ERROR_LIMIT = 1024  # characters of a reason that go into a header
POLL_S = 0.1

Reason = Literal["refused", "attempts", "age"]

log = logging.getLogger(__name__)


class DeadLetter(NamedTuple):
    """A record given up: its last HTTP status if it had one, its tries, and why.

    `attempts` are all requests that it was in. `reason` is of which kind it is: the function
    refuses it, or it failed too often, or for too long; `is_away` if nobody was there to take it.
    """

    record: Record
    status: int | None
    attempts: int
    error: str
    reason: Reason
    is_away: bool = False


class DeadLetters(Protocol):
    """Where a trigger's dead letters go."""

    def write(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Write letters, and return those that are not safe yet: they are to be written again."""


class DeadLetterLog:
    """For a trigger without a dead-letter topic: its dead letters are logged, and gone."""

    def __init__(self, trigger: str) -> None:
        self._trigger = trigger

    def write(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Log each letter."""
        for letter in letters:
            log.error("record dropped", extra={"fields": _fields(letter, self._trigger)})
        return []


class DeadLetterTopic:
    """Writes dead letters to a topic; threads may share it. `polled` is called after each poll."""

    def __init__(
        self,
        topic: str,
        trigger: str,
        producer: RecordProducer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        polled: Callable[[], None] = lambda: None,
    ) -> None:
        self._topic = topic
        self._trigger = trigger
        self._producer = producer
        self._now = now
        self._polled = polled

    def write(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Write letters; those are safe that the broker acknowledged."""
        ends: dict[int, KafkaError | None] = {}
        for number, letter in enumerate(letters):
            self._produce(letter, partial(ends.__setitem__, number))
        while len(ends) < len(letters):
            self._producer.poll(POLL_S)
            self._polled()
        for number, letter in enumerate(letters):
            self._report(letter, ends[number])
        return [letter for number, letter in enumerate(letters) if ends[number]]

    def _produce(self, letter: DeadLetter, end: Callable[[KafkaError | None], None]) -> None:
        record = letter.record
        try:
            self._producer.produce(
                self._topic,
                key=record.key(),
                value=record.value(),
                headers=dead_letter_headers(letter, self._trigger, self._now()),
                on_delivery=lambda error, _: end(error),
            )
        except KafkaException as error:
            end(error.args[0])
        except BufferError:
            end(KafkaError(KafkaError._QUEUE_FULL))

    def _report(self, letter: DeadLetter, error: KafkaError | None) -> None:
        fields = _fields(letter, self._trigger) | {"dead_letter_topic": self._topic}
        if error:
            fields["held_because"] = str(error)
            log.warning("dead letter not written yet", extra={"fields": fields})
        else:
            log.error("dead letter", extra={"fields": fields})


def dead_letter_headers(
    letter: DeadLetter, trigger: str, now: datetime
) -> list[tuple[str, str | bytes | None]]:
    """The record's own headers, and where it was, with what became of it.

    Of a record that has been a dead letter before, the new story replaces the old one.
    """
    record = letter.record
    story = {
        "topic": record.topic(),
        "partition": record.partition(),
        "offset": record.offset(),
        "trigger": trigger,
        "status": letter.status or "none",
        "attempts": letter.attempts,
        "error": letter.error[:ERROR_LIMIT],
        "time": now.isoformat(timespec="milliseconds"),
    }
    told = {PREFIX + name: str(value) for name, value in story.items()}
    kept = [(name, value) for name, value in record.headers() or () if name not in told]
    return [*kept, *told.items()]


def _fields(letter: DeadLetter, trigger: str) -> dict[str, object]:
    return {
        "trigger": trigger,
        "topic": letter.record.topic(),
        "partition": letter.record.partition(),
        "offset": letter.record.offset(),
        "attempts": letter.attempts,
        "error": letter.error[:ERROR_LIMIT],
    }
