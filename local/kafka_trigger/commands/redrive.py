"""Bringing dead letters home: to the topic and partition that they came from, and marking them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from local.kafka_trigger.commands.dead_letter import GONE, Content, StoredDeadLetter
from local.kafka_trigger.commands.marks import End, MarkWriter, why_not
from local.kafka_trigger.delivering.dead_letter_size import is_too_large
from local.kafka_trigger.kafka.producer import RecordProducer

ANY_PARTITION = -1


class Redriver(MarkWriter):
    """Writes letters back to their topics, and a mark for each beside it in its own.

    The mark is written when the broker has acknowledged the letter: one without it may come home
    twice, none is lost.
    """

    def __init__(
        self,
        topic: str,
        producer: RecordProducer,
        partitions_of: Callable[[str], Sequence[int]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        find: Callable[[StoredDeadLetter], Content | None] = lambda letter: letter.content,
    ) -> None:
        super().__init__(topic, producer, now)
        self._partitions_of = partitions_of
        self._find = find

    def target(self, letter: StoredDeadLetter) -> TopicPartition | None:
        """Where a letter belongs; None if there is no such topic."""
        partitions = self._partitions_of(letter.topic)
        if not partitions:
            return None
        known = letter.partition in partitions
        return TopicPartition(letter.topic, letter.partition if known else ANY_PARTITION)

    def redrive(
        self, letters: Iterable[StoredDeadLetter], is_stopping: Callable[[], bool]
    ) -> Iterator[End]:
        """Bring letters home, in their order; tells of each when that is certain.

        Raises Interrupted if it is to stop while there are more.
        """
        for some in self._parts(letters, is_stopping):
            yield from self._together(some)

    def _together(self, letters: Sequence[StoredDeadLetter]) -> Iterator[End]:
        ends = self._acknowledged([partial(self._bring_home, each) for each in letters])
        for number, letter in enumerate(letters):
            if is_too_large(ends[number]):
                ends[number] = self._alone(letter)
        home = [letter for letter, end in zip(letters, ends, strict=True) if not why_not(end)]
        marked = self._mark(home, "redriven")
        for letter, end in zip(letters, ends, strict=True):
            yield _end(letter, end, marked.get(letter.id))

    def _alone(self, letter: StoredDeadLetter) -> Message | KafkaError:
        """Bring a letter home that was too large, for a topic's limit is that of a batch.

        If it still is, without the count: a record at the limit of its topic has no room for one.
        """
        [end] = self._acknowledged([partial(self._bring_home, letter)])
        if is_too_large(end):
            [end] = self._acknowledged([partial(self._bring_home, letter, is_counted=False)])
        return end

    def _bring_home(
        self, letter: StoredDeadLetter, on_delivery: Callable[..., None], *, is_counted: bool = True
    ) -> None:
        target = self.target(letter)
        if target is None:
            raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
        content = self._find(letter)
        if content is None:
            raise KafkaException(KafkaError(KafkaError._NO_OFFSET, GONE))
        whole = replace(letter, content=content)
        headers = whole.headers_at_home() if is_counted else whole.own_headers()
        self._produce(target, content.key, content.value, headers, on_delivery)


def _end(
    letter: StoredDeadLetter, home: Message | KafkaError, mark: Message | KafkaError | None
) -> End:
    if isinstance(home, KafkaError):
        return End(letter, None, home.str())
    place = f"{home.topic()} {home.partition()}:{home.offset()}"
    if why := why_not(mark):
        return End(letter, place, f"it is home, but could not be marked as redriven: {why}")
    return End(letter, place)
