"""The dead-letter topic, to which dead letters are written until they are acknowledged."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from confluent_kafka import KafkaError, KafkaException

from local.kafka_trigger.delivering.dead_letter import (
    DeadLetter,
    NotWritten,
    dead_letter_headers,
    log_fields,
)
from local.kafka_trigger.delivering.dead_letter_size import (
    SMALLER,
    WHOLE,
    DeadLetterSize,
    is_too_large,
)
from local.kafka_trigger.kafka.producer import RecordProducer

POLL_S = 0.1
# A topic limits the size of a batch: no dead letter must be rejected for the size of others.
SINGLE_RECORD_BATCHES = {"batch.num.messages": 1}
VAGUE_ERRORS = {KafkaError._MSG_TIMED_OUT, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
METADATA_TIMEOUT_S = 1.0

log = logging.getLogger(__name__)


class DeadLetterTopic:
    """Writes dead letters to a topic; threads may share it. `after_poll` is called after each poll.

    The producer sends SINGLE_RECORD_BATCHES. A dead letter that is too large is written with less
    of its record.
    """

    def __init__(
        self,
        topic: str,
        trigger: str,
        producer: RecordProducer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        after_poll: Callable[[], None] = lambda: None,
    ) -> None:
        self._topic = topic
        self._trigger = trigger
        self._producer = producer
        self._now = now
        self._after_poll = after_poll

    def write(self, letters: Sequence[DeadLetter]) -> list[NotWritten]:
        """Write dead letters; returns those that the broker did not acknowledge."""
        unwritten: list[NotWritten] = []
        detail_by_code: dict[int, str] = {}
        for letter, error in zip(letters, self._send(letters, WHOLE), strict=True):
            size = WHOLE
            if is_too_large(error):
                size, error = self._send_smaller(letter, error)
            if error and error.code() not in detail_by_code:
                detail_by_code[error.code()] = self._detail(error)
            detail = detail_by_code[error.code()] if error else None
            self._log(letter, size, detail)
            if detail:
                unwritten.append(NotWritten(letter, detail))
        return unwritten

    def _detail(self, error: KafkaError) -> str:
        """Why a dead letter was not written: the topic's error, where the client's is vague.

        The request for metadata also has the client notice at once which topics exist by now.
        """
        if error.code() not in VAGUE_ERRORS:
            return error.str()
        try:
            topic = self._producer.list_topics(timeout=METADATA_TIMEOUT_S).topics.get(self._topic)
            cause = topic.error if topic else KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
        except KafkaException as no_metadata:
            cause = no_metadata.args[0]
        return f"{error.str()}: {self._topic}: {cause.str()}" if cause else error.str()

    def _send_smaller(
        self, letter: DeadLetter, error: KafkaError | None
    ) -> tuple[DeadLetterSize, KafkaError | None]:
        """Send a dead letter with less and less of its record, until it fits."""
        cause = error
        for size in SMALLER:
            [error] = self._send([letter], size, cause)
            if not is_too_large(error):
                break
        return size, error

    def _send(
        self, letters: Sequence[DeadLetter], size: DeadLetterSize, cause: KafkaError | None = None
    ) -> list[KafkaError | None]:
        """Send dead letters, and wait until each is acknowledged (None) or has failed."""
        results: dict[int, KafkaError | None] = {}
        for index, letter in enumerate(letters):
            self._produce(letter, size, cause, partial(results.__setitem__, index))
        while len(results) < len(letters):
            self._producer.poll(POLL_S)
            self._after_poll()
        return [results[index] for index in range(len(letters))]

    def _produce(
        self,
        letter: DeadLetter,
        size: DeadLetterSize,
        cause: KafkaError | None,
        on_result: Callable[[KafkaError | None], None],
    ) -> None:
        record = letter.record
        try:
            self._producer.produce(
                self._topic,
                key=size.key_of(record),
                value=size.value_of(record),
                headers=dead_letter_headers(letter, self._trigger, self._now(), size, cause),
                on_delivery=lambda error, _: on_result(error),
            )
        except KafkaException as error:
            on_result(error.args[0])
        except BufferError:  # if the queue is empty, it is too small for this dead letter
            is_busy = len(self._producer) > 0
            code = KafkaError._QUEUE_FULL if is_busy else KafkaError.MSG_SIZE_TOO_LARGE
            on_result(KafkaError(code))

    def _log(self, letter: DeadLetter, size: DeadLetterSize, detail: str | None) -> None:
        fields = log_fields(letter, self._trigger) | {"dead_letter_topic": self._topic}
        if size is not WHOLE:
            fields["omitted"] = size.omits
        if detail:
            fields["held_because"] = detail
            log.warning("dead letter not written yet", extra={"fields": fields})
        else:
            log.error("dead letter", extra={"fields": fields})
