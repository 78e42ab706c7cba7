"""A publisher for tests that compares what was acknowledged with what is on the topic."""

import asyncio
import time
from collections import Counter
from itertools import count

from functions.shared.errors import NotAcknowledged, Unavailable
from functions.shared.kafka.publisher import Publisher, Record
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.settings.load import load
from tests.support.drivers.broker import Broker

END = b"end"


class Posts:
    """Publishes numbered records, and remembers those that were acknowledged."""

    def __init__(self, bootstrap_servers: str, topic: str, deadline_s: float) -> None:
        environ = {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "PUBLISH_DEADLINE_S": str(deadline_s),
        }
        self.publisher = Publisher(load(KafkaSettings, environ), topic=topic)
        self.topic = topic
        self.acknowledged: list[bytes] = []
        self.refusals: list[str] = []
        self._numbers = count()

    async def post(self) -> bool:
        """Publish one record; return whether it was acknowledged."""
        value = str(next(self._numbers)).encode()
        try:
            await self.publisher.publish([Record(self.topic, "key", value, {})])
        except NotAcknowledged as error:
            self.refusals.append(str(error))
            return False
        self.acknowledged.append(value)
        return True

    async def recover(self) -> float:
        """Publish until a record is acknowledged; return the seconds that took."""
        began = time.monotonic()
        while not await self.post():
            await asyncio.sleep(0.02)  # as long as a sender waits who does not wait long
        return time.monotonic() - began

    async def unready_reason(self) -> str | None:
        """Why the publisher is not ready, or None."""
        try:
            await self.publisher.ready()
        except Unavailable as unavailable:
            return str(unavailable)
        return None

    async def wait_for_reason(self, expected: str | None) -> None:
        """Wait until it is not ready for this reason, or for none."""
        async with asyncio.timeout(60):
            while await self.unready_reason() != expected:
                await asyncio.sleep(0.02)

    async def finish(self) -> "Posts":
        """Publish the last record."""
        await self.publisher.publish([Record(self.topic, "key", END, {})])
        return self

    def lost(self, broker: Broker) -> set[bytes]:
        """Return the acknowledged numbers missing from the topic; assert that none is twice."""
        found = Counter(broker.read_until(self.topic, END))
        mine = set(self.acknowledged)
        assert all(found[each] <= 1 for each in mine)
        return mine - set(found)
