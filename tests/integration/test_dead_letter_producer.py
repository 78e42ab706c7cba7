"""Dead letters are written after a broker that failed, though their producer is idempotent."""

from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import KafkaError

from local.kafka_trigger.delivering.dead_letter import DeadLetter
from local.kafka_trigger.delivering.dead_letter_topic import DeadLetterTopic
from local.kafka_trigger.kafka.producer import ResilientProducer
from tests.support.builders.records import record
from tests.support.drivers.broker import QUIET, Broker
from tests.support.servers.mock_cluster import mock_cluster
from tests.support.waiting import eventually

DEAD_LETTER = DeadLetter(record(7, b"value"), 400, 1, "HTTP 400: bad", "refused")
# As `[kafka.producer]` may say, and as `dlq redrive` has it.
SETTINGS = {"enable.idempotence": True, "message.timeout.ms": 1000, **QUIET}


def dead_letter_topic(
    bootstrap_servers: str, topic: str, renew_after_s: float = 1
) -> DeadLetterTopic:
    """A dead-letter topic and its producer."""
    settings = {"bootstrap.servers": bootstrap_servers, **SETTINGS}
    return DeadLetterTopic(topic, "test", ResilientProducer(settings, renew_after_s=renew_after_s))


def test_dead_letters_are_written_after_a_broker_that_hung(broker: Broker) -> None:
    """It hangs for longer than their time-out: they fail at first, and are written when retried."""
    topic = broker.create()
    dead_letters = dead_letter_topic(broker.bootstrap_servers, topic)
    eventually(lambda: dead_letters.write([DEAD_LETTER]) == [])  # the topic may have no leader yet
    with broker.paused():
        assert len(dead_letters.write([DEAD_LETTER] * 3)) == 3
    eventually(lambda: dead_letters.write([DEAD_LETTER]) == [])
    assert dead_letters.write([DEAD_LETTER] * 50) == []


def test_dead_letters_are_written_after_any_error_of_a_broker() -> None:
    """One error after another, while several threads write."""
    errors = [
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,  # a fatal one
        KafkaError.PRODUCER_FENCED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    ]
    with mock_cluster() as cluster:
        dead_letters = dead_letter_topic(
            cluster.bootstrap_servers, cluster.create("dlq"), renew_after_s=0.1
        )

        def write(_: int) -> None:
            for _ in range(20):
                eventually(lambda: dead_letters.write([DEAD_LETTER]) == [])

        for error in errors:
            eventually(lambda: dead_letters.write([DEAD_LETTER]) == [])
            cluster.refuse([error])
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(write, range(4)))
