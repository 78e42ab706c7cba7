"""Whether the broker answers, and has the topic that a publisher writes to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, Producer

from functions.shared.errors import Unavailable

if TYPE_CHECKING:
    from confluent_kafka.admin import TopicMetadata

CHECK_EVERY_S = 1.0
ANSWER_TIMEOUT_S = 2.0


class TopicCheck:
    """Reads the cluster's metadata, once a second at most; bound to the running event loop.

    The producer that it asks must not create the topic.
    """

    def __init__(self, producer: Callable[[], Producer], topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._loop = asyncio.get_running_loop()
        self._check: asyncio.Task[str | None] | None = None
        self._started_at = 0.0

    def is_running(self) -> bool:
        """Return whether the broker is being asked; the producer has to be polled meanwhile."""
        return self._check is not None and not self._check.done()

    def start(self) -> asyncio.Task[str | None]:
        """Return the check that is running, or the last one if it is of this second, or a new one.

        Its result is a sentence that says what is missing, or None.
        """
        now = self._loop.time()
        if self._check is None or (self._check.done() and now - self._started_at >= CHECK_EVERY_S):
            self._started_at = now
            self._check = self._loop.create_task(self._find_problem())
        return self._check

    async def _find_problem(self) -> str | None:
        list_topics = self._producer().list_topics
        try:
            metadata = await asyncio.to_thread(list_topics, self._topic, timeout=ANSWER_TIMEOUT_S)
        except KafkaException:
            return "The broker does not answer."
        return self._problem_of(metadata.topics.get(self._topic))

    def _problem_of(self, topic: TopicMetadata | None) -> str | None:
        error = topic.error if topic else None
        if topic is None or (error and error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART):
            return f"The broker has no topic {self._topic}."
        if error:
            reason = KafkaError(error.code()).str()
            return f"The topic {self._topic} cannot be written to: {reason}."
        if not any(each.leader >= 0 for each in topic.partitions.values()):
            return f"The topic {self._topic} cannot be written to: no partition has a leader."
        return None


async def raise_for_problem(check: asyncio.Task[str | None]) -> None:
    """Wait for a check, which others may wait for too.

    Raises:
        Unavailable: with what is missing.
    """
    if problem := await asyncio.shield(check):
        raise Unavailable(problem)
