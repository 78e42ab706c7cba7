"""Looking at what the broker has: the group's offsets and the dead letters."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tests.integration.walk.history import Buried, Committed, History
from tests.support.drivers.broker import QUIET
from tests.support.waiting import eventually

EVERY_S = 0.01
RESTARTED_WITHIN_S = 120  # with the topics of many walks, on a busy machine


class Sampler:
    """Notes each change of a group's offsets, and before it each dead letter that is there."""

    def __init__(
        self, servers: str, group: str, places: list[TopicPartition], dead_letters: str
    ) -> None:
        settings = {"bootstrap.servers": servers, "enable.auto.commit": False, **QUIET}
        self._group = Consumer({**settings, "group.id": group})
        self._letters = Consumer(
            {
                **settings,
                "group.id": "gravedigger",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 5,
            }
        )
        self._places = places
        self._next_letter = TopicPartition(dead_letters, 0, 0)
        self.committed: dict[int, int] = {}

    @contextmanager
    def watching(self, history: History) -> Iterator[None]:
        """Sample all the time, and once more at the end."""
        stopping = threading.Event()
        with (
            closing(self._group),
            closing(self._letters),
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
        """Whether there was a broker to ask; else it restarts, and no commit is noted."""
        try:
            self._sample(history)
        except KafkaException:
            return False
        return True

    def _sample(self, history: History) -> None:
        """What the trigger buried before it committed is read after the commit was seen."""
        places = self._group.committed(self._places, timeout=RESTARTED_WITHIN_S)
        now = {each.partition: each.offset for each in places if each.offset >= 0}
        changed = {
            number: offset for number, offset in now.items() if offset != self.committed.get(number)
        }
        if changed:
            for letter in self._new_letters():
                history.add(_buried(letter))
        for number, offset in changed.items():
            history.add(Committed(number, offset))
        self.committed = now

    def _new_letters(self) -> Iterator[Message]:
        """The dead letters from the last one seen up to the end, as it is from now on."""
        self._letters.assign([self._next_letter])
        while True:
            letters = self._letters.consume(1, RESTARTED_WITHIN_S)
            if not letters:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            [letter] = letters
            error = letter.error()
            if error and error.code() == KafkaError._PARTITION_EOF:
                return
            if error:
                raise KafkaException(error)
            self._next_letter.offset = cast(int, letter.offset()) + 1
            yield letter


def _buried(letter: Message) -> Buried:
    headers = dict(cast(list[tuple[str, bytes]], letter.headers()))
    return Buried(int(headers["dlq_partition"]), int(headers["dlq_offset"]))
