"""What is said of records that are not acknowledged."""

import pytest
from confluent_kafka import KafkaError

from functions.shared.kafka.delivery_health import REPEAT_AFTER_S, DeliveryHealth

TIMED_OUT = KafkaError(KafkaError._MSG_TIMED_OUT)
FENCED = KafkaError(KafkaError.PRODUCER_FENCED, "of broker-7.internal:9092")
FAILS = "the broker does not acknowledge records: "


@pytest.fixture(name="now")
def _now() -> list[float]:
    """The time, to be set."""
    return [1000.0]


@pytest.fixture(name="health")
def _health(now: list[float]) -> DeliveryHealth:
    """One that remembers for five seconds."""
    return DeliveryHealth(5, lambda: now[0])


def test_each_cause_is_logged_once(
    health: DeliveryHealth, caplog: pytest.LogCaptureFixture
) -> None:
    """Not for each of 500 records; and so is that they are acknowledged again."""
    for _ in range(250):
        health.record_failure(TIMED_OUT)
        health.record_failure(FENCED)
    for _ in range(500):
        health.record_success()
    assert [each.message for each in caplog.records] == [
        FAILS + "Local: Message timed out",
        FAILS + "of broker-7.internal:9092",
        "the broker acknowledges records again",
    ]


def test_records_that_fail_now_and_then_are_logged_now_and_then(
    health: DeliveryHealth, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """One partition of several may be away for long."""
    for _ in range(1000):
        now[0] += REPEAT_AFTER_S / 500
        health.record_failure(TIMED_OUT)
        health.record_success()
    assert len(caplog.records) == 4


def test_the_log_says_what_the_client_heard_of_its_connections(
    health: DeliveryHealth, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """That a record timed out does not say why; what was heard long ago does not either."""
    health.record_client_error(KafkaError(KafkaError._TRANSPORT, "broker:9092: Connection refused"))
    health.record_failure(TIMED_OUT)
    now[0] += 2 * REPEAT_AFTER_S
    health.record_failure(TIMED_OUT)
    assert [each.__dict__["fields"] for each in caplog.records] == [
        {"cause": "_MSG_TIMED_OUT", "client": "broker:9092: Connection refused"},
        {"cause": "_MSG_TIMED_OUT"},
    ]


def test_a_cause_is_told_without_addresses(health: DeliveryHealth) -> None:
    """Anybody may ask whether an instance is ready."""
    assert health.cause() is None
    health.record_failure(FENCED)
    assert health.cause() == KafkaError(KafkaError.PRODUCER_FENCED).str()


def test_a_cause_is_gone_with_the_next_record_that_is_acknowledged(health: DeliveryHealth) -> None:
    """At once."""
    health.record_failure(TIMED_OUT)
    health.record_success()
    assert health.cause() is None


def test_a_cause_is_not_told_for_ever(health: DeliveryHealth, now: list[float]) -> None:
    """An instance that is sent nothing while it is not ready would never be ready again."""
    health.record_failure(TIMED_OUT)
    now[0] += 4.9
    assert health.cause()
    now[0] += 0.1
    assert health.cause() is None
