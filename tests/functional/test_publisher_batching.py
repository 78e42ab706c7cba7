"""When records are sent to the broker: a single one at once, later ones in one batch."""

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
    """A producer that records what it produces, and acknowledges it when a test says so."""

    def __init__(self, *_: object, **__: object) -> None:
        self.produced: list[bytes] = []
        self.acknowledges = False
        self._delivered: list[Delivered] = []

    def produce(self, _topic: str, value: bytes, *_: object, **more: Any) -> None:
        """Accept a record."""
        self.produced.append(value)
        self._delivered.append(more["on_delivery"])

    def poll(self, _: float) -> None:
        """Serve the callbacks."""
        if self.acknowledges:
            delivered, self._delivered = self._delivered, []
            for each in delivered:
                each(None, None)

    def __len__(self) -> int:
        """Return the number of records without acknowledgement."""
        return len(self._delivered)


def test_a_single_record_is_sent_at_once_and_later_ones_in_one_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Records that arrive during a delivery wait for its end, then go in order in one batch."""
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
