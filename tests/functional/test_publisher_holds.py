"""When records go to the broker: a lone one at once, what comes meanwhile together."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from functions.shared.kafka import publisher as module
from functions.shared.kafka.publisher import Publisher, Record
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.settings.load import load

Delivered = Callable[[KafkaError | None, object], None]


class FakeProducer:
    """Notes what it is to produce, and acknowledges all of it when it is told to."""

    def __init__(self, *_: object, **__: object) -> None:
        self.produced: list[bytes] = []
        self.acknowledges = False
        self._delivered: list[Delivered] = []

    def produce(self, _topic: str, value: bytes, *_: object, **more: Any) -> None:
        """Take a record."""
        self.produced.append(value)
        self._delivered.append(more["on_delivery"])

    def poll(self, _: float) -> None:
        """Serve the callbacks."""
        if self.acknowledges:
            delivered, self._delivered = self._delivered, []
            for each in delivered:
                each(None, None)

    def __len__(self) -> int:
        """How many are not acknowledged yet."""
        return len(self._delivered)


def test_a_lone_record_goes_out_at_once_and_others_with_the_next_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As long as one is under way; in their order, and then a lone one again."""
    producer = FakeProducer()
    monkeypatch.setattr(module, "Producer", lambda *_, **__: producer)

    async def work() -> None:
        settings = load(KafkaSettings, {"KAFKA_BOOTSTRAP_SERVERS": "ignored:1"})
        publisher = Publisher(settings, topic="topic")

        def publish(value: bytes) -> asyncio.Future[None]:
            return publisher.publish([Record("topic", "key", value, {})])

        under_way = [publish(value) for value in (b"1", b"2", b"3")]
        assert producer.produced == [b"1"]
        producer.acknowledges = True
        await asyncio.gather(*under_way)
        assert producer.produced == [b"1", b"2", b"3"]
        lone = publish(b"4")
        assert producer.produced[-1] == b"4"
        await lone

    asyncio.run(work())
