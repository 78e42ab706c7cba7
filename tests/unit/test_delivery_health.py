"""The log and the readiness error for records that are not acknowledged."""

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
    """A health state that expires after five seconds."""
    return DeliveryHealth(5, lambda: now[0])


def test_each_cause_is_logged_once(
    health: DeliveryHealth, caplog: pytest.LogCaptureFixture
) -> None:
    """Once for 500 records; their recovery is logged once too."""
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
    """One of several partitions may be unavailable for long."""
    for _ in range(1000):
        now[0] += REPEAT_AFTER_S / 500
        health.record_failure(TIMED_OUT)
        health.record_success()
    assert len(caplog.records) == 4


def test_the_log_has_the_last_connection_error_of_the_client(
    health: DeliveryHealth, now: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """A time-out has no cause of its own, and an old connection error is not its cause."""
    health.record_client_error(KafkaError(KafkaError._TRANSPORT, "broker:9092: Connection refused"))
    health.record_failure(TIMED_OUT)
    now[0] += 2 * REPEAT_AFTER_S
    health.record_failure(TIMED_OUT)
    assert [each.__dict__["fields"] for each in caplog.records] == [
        {"cause": "_MSG_TIMED_OUT", "client": "broker:9092: Connection refused"},
        {"cause": "_MSG_TIMED_OUT"},
    ]


def test_a_cause_has_no_addresses(health: DeliveryHealth) -> None:
    """/ready is public."""
    assert health.cause() is None
    health.record_failure(FENCED)
    assert health.cause() == KafkaError(KafkaError.PRODUCER_FENCED).str()


def test_a_cause_is_gone_with_the_next_record_that_is_acknowledged(health: DeliveryHealth) -> None:
    """Immediately."""
    health.record_failure(TIMED_OUT)
    health.record_success()
    assert health.cause() is None


def test_a_cause_expires(health: DeliveryHealth, now: list[float]) -> None:
    """An instance that is sent nothing while it is not ready would never be ready again."""
    health.record_failure(TIMED_OUT)
    now[0] += 4.9
    assert health.cause()
    now[0] += 0.1
    assert health.cause() is None
