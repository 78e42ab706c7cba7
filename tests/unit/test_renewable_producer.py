"""When a producer is replaced."""

from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from functions.shared.kafka.renewable_producer import RENEW_AFTER_S, RenewableProducer


class ProducerCounter:
    """A counter of the producers that are made and retired, and a clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.count = 0
        self.retired: list[Any] = []
        self.refusal: KafkaException | None = None
        self.renewable = RenewableProducer(
            self.connect, retire=self.retired.append, clock=lambda: self.now
        )

    def connect(self) -> Producer:
        """Make another producer."""
        if self.refusal:
            raise self.refusal
        self.count += 1
        return cast(Producer, f"producer {self.count}")

    def in_use(self) -> Any:
        """Return the name of the producer in use."""
        return self.renewable.get()

    def fail(self) -> None:
        """Fail a delivery of the producer in use."""
        assert self.renewable.failed(self.renewable.get())


def test_a_producer_without_failures_stays() -> None:
    """However old it is."""
    counter = ProducerCounter()
    counter.now = 1e6
    assert counter.in_use() == counter.in_use() == "producer 1"
    assert not counter.retired


def test_a_producer_that_has_failed_is_replaced_once() -> None:
    """The old one is handed over, for the records that it still holds."""
    counter = ProducerCounter()
    counter.now = RENEW_AFTER_S
    counter.fail()
    counter.fail()
    assert counter.in_use() == counter.in_use() == "producer 2"
    assert counter.retired == ["producer 1"]


def test_late_failures_of_a_replaced_producer_do_not_replace_the_new_one() -> None:
    """Its other records in flight fail too."""
    counter = ProducerCounter()
    counter.now = RENEW_AFTER_S
    old = counter.renewable.get()
    counter.fail()
    counter.renewable.get()
    counter.now = 9 * RENEW_AFTER_S
    assert not counter.renewable.failed(old)
    assert counter.in_use() == "producer 2"


def test_a_broker_that_refuses_all_is_not_flooded_with_producers() -> None:
    """A thousand failures make only ten producers."""
    counter = ProducerCounter()
    for step in range(1000):
        counter.now = step * RENEW_AFTER_S / 100
        counter.fail()
        counter.renewable.get()
    assert counter.count == 10


def test_the_old_producer_stays_while_no_new_one_can_be_made(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Until one can be made; each failed attempt logs its reason."""
    counter = ProducerCounter()
    counter.refusal = KafkaException(KafkaError(KafkaError._INVALID_ARG, "no ca.pem"))
    counter.fail()
    for tenth in range(25):
        counter.now = tenth * RENEW_AFTER_S / 10
        assert counter.in_use() == "producer 1"
    assert [each.message for each in caplog.records] == [
        "no new producer can be made: no ca.pem"
    ] * 2
    counter.refusal = None
    counter.now = 9 * RENEW_AFTER_S
    assert counter.in_use() == "producer 2"
