"""A producer that can go on no more."""

import asyncio
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from functions.shared import kafka_credentials
from functions.shared.publisher import NotAcknowledged, Publisher, Record
from functions.shared.settings import KafkaSettings, load

RECORD = Record("topic", "key", b"value", {})


class FakeProducer:
    """Acknowledges all; the first one that is made is beyond repair."""

    made = 0

    def __init__(self, *_: Any, **__: Any) -> None:
        self.is_broken = FakeProducer.made == 0
        FakeProducer.made += 1
        self.reports: list[Any] = []

    def __len__(self) -> int:
        return len(self.reports)

    def produce(self, *_: Any, on_delivery: Any, **__: Any) -> None:
        """Take a record."""
        if self.is_broken:
            raise KafkaException(KafkaError(KafkaError._FATAL))
        self.reports.append(on_delivery)

    def poll(self, _: float) -> None:
        """Report."""
        while self.reports:
            self.reports.pop()(None, None)


def test_another_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """One request is a 503; without it each would be, for ever."""
    monkeypatch.setattr(kafka_credentials, "Producer", FakeProducer)
    settings = load(KafkaSettings, {"KAFKA_BOOTSTRAP_SERVERS": "b:9092"})

    async def run() -> None:
        publisher = Publisher(settings)
        with pytest.raises(NotAcknowledged):
            await publisher.publish([RECORD])
        await publisher.publish([RECORD])

    asyncio.run(run())
    assert FakeProducer.made == 2
