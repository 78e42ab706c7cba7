"""A producer that replaces another signs in with the current password."""

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
    """A producer that records its password, and refuses each record at once."""

    producers: list["FakeProducer"]

    def __init__(self, configuration: dict[str, Any], **_: Any) -> None:
        self.on_error = configuration["error_cb"]
        self.password = configuration["sasl.password"]
        self.reports: list[Any] = []
        self.producers.append(self)

    def __len__(self) -> int:
        return len(self.reports)

    def produce(self, *_: Any, on_delivery: Any, **__: Any) -> None:
        """Accept a record."""
        self.reports.append(on_delivery)

    def poll(self, _: float) -> None:
        """Reject the record."""
        while self.reports:
            self.reports.pop()(KafkaError(KafkaError._MSG_TIMED_OUT), None)

    def set_sasl_credentials(self, _: str, password: str) -> None:
        """Use another password."""
        self.password = password


def test_each_later_producer_has_a_changed_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The producer that got the new password, and the one that replaces it."""
    FakeProducer.producers = []
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
    fakes = FakeProducer.producers

    async def work() -> None:
        publisher = Publisher(load(KafkaSettings, environ), topic="topic")
        password.write_text(NEW)
        fakes[0].on_error(KafkaError(KafkaError._AUTHENTICATION))
        async with asyncio.timeout(20):
            while fakes[0].password != NEW:
                await asyncio.sleep(0)
            with pytest.raises(NotAcknowledged):
                await publisher.publish([Record("topic", "key", b"value", {})])
            while len(fakes) == 1:
                await asyncio.sleep(0)

    asyncio.run(work())
    assert [each.password for each in fakes] == [NEW, NEW]
