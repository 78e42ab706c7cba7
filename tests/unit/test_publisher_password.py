"""A producer that takes another's place signs in with the password of its day."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError

from functions.shared.errors import NotAcknowledged
from functions.shared.kafka import producers, publisher
from functions.shared.kafka.publisher import Publisher, Record
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.settings.load import load

NEW = "changed"


class FakeProducer:
    """Knows how it signs in; refuses each record as soon as it is told of it."""

    made: list["FakeProducer"]

    def __init__(self, configuration: dict[str, Any], **_: Any) -> None:
        self.heard = configuration["error_cb"]
        self.password = configuration["sasl.password"]
        self.reports: list[Any] = []
        self.made.append(self)

    def __len__(self) -> int:
        return len(self.reports)

    def produce(self, *_: Any, on_delivery: Any, **__: Any) -> None:
        """Take a record."""
        self.reports.append(on_delivery)

    def poll(self, _: float) -> None:
        """Refuse."""
        while self.reports:
            self.reports.pop()(KafkaError(KafkaError._MSG_TIMED_OUT), None)

    def set_sasl_credentials(self, _: str, password: str) -> None:
        """Take another."""
        self.password = password


def test_a_password_that_was_changed_is_that_of_each_later_producer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that was told of it, and the one that comes after it."""
    FakeProducer.made = []
    monkeypatch.setattr(publisher, "Producer", FakeProducer)
    monkeypatch.setattr(producers, "RENEW_AFTER_S", 0)
    monkeypatch.setattr(producers, "RENEWALS", 1e9)
    password = tmp_path / "password"
    password.write_text("old")
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": "b:9092",
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": "me",
        "KAFKA_SASL_PASSWORD_FILE": str(password),
    }
    made = FakeProducer.made

    async def work() -> None:
        publisher = Publisher(load(KafkaSettings, environ), topic="topic")
        password.write_text(NEW)
        made[0].heard(KafkaError(KafkaError._AUTHENTICATION))
        async with asyncio.timeout(20):
            while made[0].password != NEW:
                await asyncio.sleep(0)
            with pytest.raises(NotAcknowledged):
                await publisher.publish([Record("topic", "key", b"value", {})])
            while len(made) == 1:
                await asyncio.sleep(0)

    asyncio.run(work())
    assert [each.password for each in made] == [NEW, NEW]
