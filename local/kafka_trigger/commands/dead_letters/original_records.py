"""Finding the original record of a dead letter that does not hold it."""

import threading
from contextlib import ExitStack
from typing import Self

from local.kafka_trigger.commands.dead_letters.stored_dead_letter import (
    UNKNOWN_PARTITION,
    RecordContent,
    StoredDeadLetter,
)
from local.kafka_trigger.commands.topic_reader import OffsetRange, TopicReader, open_reader
from local.kafka_trigger.config.kafka import Kafka
from local.kafka_trigger.config.models import Trigger


class OriginalRecords:
    """Reads original records from their own topics; opens a reader when one is first needed."""

    def __init__(self, kafka: Kafka, trigger: Trigger, stopping: threading.Event) -> None:
        self._kafka = kafka
        self._trigger = trigger
        self._stopping = stopping
        self._exit_stack = ExitStack()
        self._readers: dict[str, TopicReader] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._exit_stack.close()

    def find(self, dead_letter: StoredDeadLetter) -> RecordContent | None:
        """Return the content of the original record; None if that no longer exists."""
        if dead_letter.original:
            return dead_letter.original
        reader = self._reader(dead_letter.topic)
        offsets = OffsetRange(dead_letter.offset, dead_letter.offset + 1)
        for partition in reader.partitions():
            if dead_letter.partition in (partition, UNKNOWN_PARTITION):
                for record in reader.read({partition: offsets}):
                    if dead_letter.is_of(record):
                        return RecordContent.of(record)
        return None

    def _reader(self, topic: str) -> TopicReader:
        if topic not in self._readers:
            opened = open_reader(self._kafka, self._trigger, topic, self._stopping)
            self._readers[topic] = self._exit_stack.enter_context(opened)
        return self._readers[topic]
