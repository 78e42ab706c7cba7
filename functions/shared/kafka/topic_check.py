"""Whether the broker answers, and has the topic that a publisher writes to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, Producer

from functions.shared.errors import Unavailable

if TYPE_CHECKING:
    from confluent_kafka.admin import TopicMetadata

LOOK_EVERY_S = 1.0  # however often it is asked
ANSWER_WITHIN_S = 2.0


class TopicCheck:
    """Looks into the cluster's metadata, once a second at most; bound to the running event loop.

    The producer that it asks must not make the topic that it is asked for.
    """

    def __init__(self, producer: Callable[[], Producer], topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._loop = asyncio.get_running_loop()
        self._look: asyncio.Task[str | None] | None = None
        self._looked_at = 0.0

    def is_looking(self) -> bool:
        """Whether the broker is being asked; the producer has to be polled meanwhile."""
        return self._look is not None and not self._look.done()

    def look(self) -> asyncio.Task[str | None]:
        """The look under way, or the last one if it is of this second, or a new one.

        It ends with a sentence that says what is missing, or with None.
        """
        now = self._loop.time()
        if self._look is None or (self._look.done() and now - self._looked_at >= LOOK_EVERY_S):
            self._looked_at = now
            self._look = self._loop.create_task(self._missing())
        return self._look

    async def _missing(self) -> str | None:
        ask = self._producer().list_topics
        try:
            found = await asyncio.to_thread(ask, self._topic, timeout=ANSWER_WITHIN_S)
        except KafkaException:
            return "The broker does not answer."
        return self._wrong_with(found.topics.get(self._topic))

    def _wrong_with(self, topic: TopicMetadata | None) -> str | None:
        error = topic.error if topic else None
        if topic is None or (error and error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART):
            return f"The broker has no topic {self._topic}."
        if error:
            why = KafkaError(error.code()).str()
            return f"The topic {self._topic} cannot be written to: {why}."
        if not any(each.leader >= 0 for each in topic.partitions.values()):
            return f"The topic {self._topic} cannot be written to: no partition has a leader."
        return None


async def passed(look: asyncio.Task[str | None]) -> None:
    """Wait for a look, which others may wait for too.

    Raises:
        Unavailable: says what is missing.
    """
    if missing := await asyncio.shield(look):
        raise Unavailable(missing)
