"""Dead letters: records that cannot be taken, written to a topic, with why."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Literal, NamedTuple, Protocol

from confluent_kafka import KafkaError, KafkaException

from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.delivering.dead_letter_size import (
    OMISSION,
    SMALLER,
    WHOLE,
    DeadLetterSize,
    Header,
    is_too_large,
    omission,
)
from local.kafka_trigger.kafka.producer import RecordProducer

PREFIX = "dlq_"
ERROR_LIMIT = 1024  # characters of a reason that go into a header
POLL_S = 0.1
# A topic's limit is that of a batch: a letter must not be refused for the size of others.
ONE_BY_ONE = {"batch.num.messages": 1}
UNEXPLAINED = {KafkaError._MSG_TIMED_OUT, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
ANSWERS_WITHIN_S = 1.0

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


class NotWritten(NamedTuple):
    """A letter that is not safe yet, and why."""

    letter: DeadLetter
    why: str


class DeadLetters(Protocol):
    """Where a trigger's dead letters go."""

    def write(self, letters: Sequence[DeadLetter]) -> list[NotWritten]:
        """Write letters, and return those that are not safe yet: they are to be written again."""


class DeadLetterLog:
    """For a trigger without a dead-letter topic: its dead letters are logged, and gone."""

    def __init__(self, trigger: str) -> None:
        self._trigger = trigger

    def write(self, letters: Sequence[DeadLetter]) -> list[NotWritten]:
        """Log each letter."""
        for letter in letters:
            log.error("record dropped", extra={"fields": _fields(letter, self._trigger)})
        return []


class DeadLetterTopic:
    """Writes dead letters to a topic; threads may share it. `polled` is called after each poll.

    The producer sends them ONE_BY_ONE. One that is too large is written with less of its record.
    """

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

    def write(self, letters: Sequence[DeadLetter]) -> list[NotWritten]:
        """Write letters; those are safe that the broker acknowledged."""
        unsafe: list[NotWritten] = []
        why_by_code: dict[int, str] = {}
        for letter, error in zip(letters, self._send(letters, WHOLE), strict=True):
            form = WHOLE
            if is_too_large(error):
                form, error = self._send_smaller(letter, error)
            if error and error.code() not in why_by_code:
                why_by_code[error.code()] = self._why(error)
            why = why_by_code[error.code()] if error else None
            self._report(letter, form, why)
            if why:
                unsafe.append(NotWritten(letter, why))
        return unsafe

    def _why(self, error: KafkaError) -> str:
        """Why a letter was not written: a time-out alone does not say it.

        To ask for the topics also has the client find out at once which are there by now.
        """
        if error.code() not in UNEXPLAINED:
            return error.str()
        try:
            topic = self._producer.list_topics(timeout=ANSWERS_WITHIN_S).topics.get(self._topic)
            cause = topic.error if topic else KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        except KafkaException as unanswered:
            cause = unanswered.args[0]
        return f"{error.str()}: {self._topic}: {cause.str()}" if cause else error.str()

    def _send_smaller(
        self, letter: DeadLetter, error: KafkaError | None
    ) -> tuple[DeadLetterSize, KafkaError | None]:
        """Write a letter with ever less of its record, until it fits."""
        because = error
        for form in SMALLER:
            [error] = self._send([letter], form, because)
            if not is_too_large(error):
                break
        return form, error

    def _send(
        self, letters: Sequence[DeadLetter], form: DeadLetterSize, because: KafkaError | None = None
    ) -> list[KafkaError | None]:
        """Write letters, and wait until each is acknowledged (None) or refused."""
        ends: dict[int, KafkaError | None] = {}
        for number, letter in enumerate(letters):
            self._produce(letter, form, because, partial(ends.__setitem__, number))
        while len(ends) < len(letters):
            self._producer.poll(POLL_S)
            self._polled()
        return [ends[number] for number in range(len(letters))]

    def _produce(
        self,
        letter: DeadLetter,
        form: DeadLetterSize,
        because: KafkaError | None,
        end: Callable[[KafkaError | None], None],
    ) -> None:
        record = letter.record
        try:
            self._producer.produce(
                self._topic,
                key=form.key_of(record),
                value=form.value_of(record),
                headers=dead_letter_headers(letter, self._trigger, self._now(), form, because),
                on_delivery=lambda error, _: end(error),
            )
        except KafkaException as error:
            end(error.args[0])
        except BufferError:  # with nothing in it, the queue is too small for this letter
            is_busy = len(self._producer) > 0
            end(KafkaError(KafkaError._QUEUE_FULL if is_busy else KafkaError.MSG_SIZE_TOO_LARGE))

    def _report(self, letter: DeadLetter, form: DeadLetterSize, why: str | None) -> None:
        fields = _fields(letter, self._trigger) | {"dead_letter_topic": self._topic}
        if form is not WHOLE:
            fields["omitted"] = form.omits
        if why:
            fields["held_because"] = why
            log.warning("dead letter not written yet", extra={"fields": fields})
        else:
            log.error("dead letter", extra={"fields": fields})


def dead_letter_headers(
    letter: DeadLetter,
    trigger: str,
    now: datetime,
    form: DeadLetterSize = WHOLE,
    because: KafkaError | None = None,
) -> list[Header]:
    """The record's own headers, and where it was, with what became of it.

    `form` says how much of the record the letter holds, and `because` why not all.
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
    ours = {PREFIX + name for name in (*story, *OMISSION)}
    told = {**story, **omission(record, form, because)}
    kept = [header for header in form.headers_of(record) if header[0] not in ours]
    return [*kept, *((PREFIX + name, str(value)) for name, value in told.items())]


def _fields(letter: DeadLetter, trigger: str) -> dict[str, object]:
    return {
        "trigger": trigger,
        "topic": letter.record.topic(),
        "partition": letter.record.partition(),
        "offset": letter.record.offset(),
        "attempts": letter.attempts,
        "error": letter.error[:ERROR_LIMIT],
    }
