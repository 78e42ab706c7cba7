"""Samples of the broker's state: the group's offsets and the dead letters."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tests.integration.walk.history import Committed, DeadLettered, History
from tests.support.drivers.broker import QUIET
from tests.support.waiting import eventually

EVERY_S = 0.01
RESTARTED_WITHIN_S = 120  # with the topics of many walks, on a busy machine


class Sampler:
    """Records each change of a group's offsets, and before it the dead letters written so far."""

    def __init__(
        self, servers: str, group: str, topic_partitions: list[TopicPartition], dead_letters: str
    ) -> None:
        settings = {"bootstrap.servers": servers, "enable.auto.commit": False, **QUIET}
        self._group = Consumer({**settings, "group.id": group})
        self._dead_letters = Consumer(
            {
                **settings,
                "group.id": "dead-letter-reader",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 5,
            }
        )
        self._topic_partitions = topic_partitions
        self._next_dead_letter = TopicPartition(dead_letters, 0, 0)
        self.committed: dict[int, int] = {}

    @contextmanager
    def watching(self, history: History) -> Iterator[None]:
        """Sample all the time, and once more at the end."""
        stopping = threading.Event()
        with (
            closing(self._group),
            closing(self._dead_letters),
            ThreadPoolExecutor() as threads,
        ):
            watch = threads.submit(self._watch, history, stopping)
            try:
                yield
            finally:
                stopping.set()
            watch.result()

    def _watch(self, history: History, stopping: threading.Event) -> None:
        while not stopping.wait(EVERY_S):
            self._sampled(history)
        eventually(lambda: self._sampled(history), RESTARTED_WITHIN_S)

    def _sampled(self, history: History) -> bool:
        """Whether the broker responded; else it restarts, and no commit is recorded."""
        try:
            self._sample(history)
        except KafkaException:
            return False
        return True

    def _sample(self, history: History) -> None:
        """Dead letters are read after a commit was observed: they were written before it."""
        topic_partitions = self._group.committed(self._topic_partitions, timeout=RESTARTED_WITHIN_S)
        now = {each.partition: each.offset for each in topic_partitions if each.offset >= 0}
        changed = {
            partition: offset
            for partition, offset in now.items()
            if offset != self.committed.get(partition)
        }
        if changed:
            for dead_letter in self._new_dead_letters():
                history.add(_dead_lettered(dead_letter))
        for partition, offset in changed.items():
            history.add(Committed(partition, offset))
        self.committed = now

    def _new_dead_letters(self) -> Iterator[Message]:
        """Yield the dead letters from the last seen one to the current end."""
        self._dead_letters.assign([self._next_dead_letter])
        while True:
            messages = self._dead_letters.consume(1, RESTARTED_WITHIN_S)
            if not messages:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            [dead_letter] = messages
            error = dead_letter.error()
            if error and error.code() == KafkaError._PARTITION_EOF:
                return
            if error:
                raise KafkaException(error)
            self._next_dead_letter.offset = cast(int, dead_letter.offset()) + 1
            yield dead_letter


def _dead_lettered(dead_letter: Message) -> DeadLettered:
    headers = dict(cast(list[tuple[str, bytes]], dead_letter.headers()))
    return DeadLettered(int(headers["dlq_partition"]), int(headers["dlq_offset"]))
