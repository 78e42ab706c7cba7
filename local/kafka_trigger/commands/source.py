"""Finding the record of a dead letter that tells only where the record is."""

import threading
from contextlib import ExitStack
from typing import Self

from local.kafka_trigger.commands.dead_letter import Content, StoredDeadLetter
from local.kafka_trigger.commands.topic_reader import Span, TopicReader, reading
from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.config.models import Trigger
from local.kafka_trigger.record import Record


class Source:
    """The topics that a trigger's records are from, to be read when a letter has no content."""

    def __init__(self, kafka: Kafka, trigger: Trigger, stopping: threading.Event) -> None:
        self._kafka = kafka
        self._trigger = trigger
        self._stopping = stopping
        self._open = ExitStack()
        self._readers: dict[str, TopicReader] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def find(self, letter: StoredDeadLetter) -> Content | None:
        """What a letter's record says; None if that is gone."""
        if letter.content:
            return letter.content
        reader = self._reader(letter.topic)
        partitions = reader.partitions()
        if letter.partition >= 0:
            partitions = [number for number in partitions if number == letter.partition]
        here = Span(letter.offset, letter.offset + 1)
        for number in partitions:
            for record in reader.read({number: here}):
                if record.offset() == letter.offset and _is_it(record, letter):
                    return Content.of(record)
        return None

    def _reader(self, topic: str) -> TopicReader:
        if topic not in self._readers:
            opened = reading(self._kafka, self._trigger, topic, self._stopping)
            self._readers[topic] = self._open.enter_context(opened)
        return self._readers[topic]


def _is_it(record: Record, letter: StoredDeadLetter) -> bool:
    """Whether it is the letter's record: the topic may have been made anew since then.

    Lambda does not say in which partition a single record was.
    """
    if letter.omitted is not None:
        return letter.is_of(record)
    if letter.partition >= 0:
        return True
    return record.key() == letter.key and str(record.timestamp()[1]) == letter.told["timestamp"]
