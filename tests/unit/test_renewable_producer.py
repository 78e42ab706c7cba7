"""When a producer is replaced."""

from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from functions.shared.kafka.renewable_producer import RENEW_AFTER_S, RenewableProducer


class Made:
    """Counts the producers that are made and retired, at a time that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.count = 0
        self.retired: list[Any] = []
        self.refusal: KafkaException | None = None
        self.renewable = RenewableProducer(
            self.connect, retire=self.retired.append, clock=lambda: self.now
        )

    def connect(self) -> Producer:
        """Another one."""
        if self.refusal:
            raise self.refusal
        self.count += 1
        return cast(Producer, f"producer {self.count}")

    def in_use(self) -> Any:
        """Its name."""
        return self.renewable.get()

    def fail(self) -> None:
        """Have a delivery of the one in use fail."""
        assert self.renewable.failed(self.renewable.get())


def test_one_without_failures_stays() -> None:
    """However old it is."""
    made = Made()
    made.now = 1e6
    assert made.in_use() == made.in_use() == "producer 1"
    assert not made.retired


def test_one_that_has_failed_is_replaced_once() -> None:
    """And handed to whoever waits for what it still holds."""
    made = Made()
    made.now = RENEW_AFTER_S
    made.fail()
    made.fail()
    assert made.in_use() == made.in_use() == "producer 2"
    assert made.retired == ["producer 1"]


def test_what_a_replaced_one_reports_is_no_reason_to_replace_the_new_one() -> None:
    """It had more records under way, which end as badly."""
    made = Made()
    made.now = RENEW_AFTER_S
    old = made.renewable.get()
    made.fail()
    made.renewable.get()
    made.now = 9 * RENEW_AFTER_S
    assert not made.renewable.failed(old)
    assert made.in_use() == "producer 2"


def test_a_broker_that_refuses_all_is_not_flooded_with_producers() -> None:
    """A thousand failures in ten times that each is in use."""
    made = Made()
    for step in range(1000):
        made.now = step * RENEW_AFTER_S / 100
        made.fail()
        made.renewable.get()
    assert made.count == 10


def test_the_old_one_stays_while_no_new_one_can_be_made(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Until it can; why is logged each time that it is tried."""
    made = Made()
    made.refusal = KafkaException(KafkaError(KafkaError._INVALID_ARG, "no ca.pem"))
    made.fail()
    for tenth in range(25):
        made.now = tenth * RENEW_AFTER_S / 10
        assert made.in_use() == "producer 1"
    assert [each.message for each in caplog.records] == [
        "no new producer can be made: no ca.pem"
    ] * 2
    made.refusal = None
    made.now = 9 * RENEW_AFTER_S
    assert made.in_use() == "producer 2"
