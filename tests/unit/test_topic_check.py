"""The readiness check of a publisher's topic."""

import asyncio
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from functions.shared.errors import Unavailable
from functions.shared.kafka import topic_check
from functions.shared.kafka.topic_check import TopicCheck, raise_for_problem

AWAY = KafkaException(KafkaError(KafkaError._TRANSPORT, "broker-7.internal:9092 is away"))
NOTHING = object()
UNKNOWN = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)


class FakeProducer:
    """Answers with `found`: a topic's error or None, or an exception, or with no topic at all.

    Partitions have these `leaders`, of which -1 is none.
    """

    def __init__(self, found: Any = None, leaders: tuple[int, ...] = (-1, 3)) -> None:
        self.found = found
        self.partitions = {
            number: SimpleNamespace(leader=leader) for number, leader in enumerate(leaders)
        }
        self.requests: list[tuple[str, float]] = []
        self.may_respond = threading.Event()
        self.may_respond.set()

    def list_topics(self, topic: str, timeout: float) -> Any:
        """Respond once the test allows it."""
        self.requests.append((topic, timeout))
        assert self.may_respond.wait(20)
        if isinstance(self.found, Exception):
            raise self.found
        is_empty = self.found is NOTHING
        metadata = SimpleNamespace(error=self.found, partitions=self.partitions)
        return SimpleNamespace(topics={} if is_empty else {topic: metadata})


def check_of(producer: FakeProducer) -> TopicCheck:
    """A check of the topic `goals`."""
    return TopicCheck(lambda: cast(Producer, producer), "goals")


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (AWAY, "The broker does not answer."),
        (UNKNOWN, "The broker has no topic goals."),
        (NOTHING, "The broker has no topic goals."),
        (
            KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "by broker-7.internal"),
            "The topic goals cannot be written to: Broker: Topic authorization failed.",
        ),
    ],
)
def test_a_missing_topic_is_reported_with_the_reason(found: Any, reason: str) -> None:
    """Without any address, since /ready is public."""

    async def check() -> None:
        await raise_for_problem(check_of(FakeProducer(found)).start())

    with pytest.raises(Unavailable) as error:
        asyncio.run(check())
    assert str(error.value) == reason


@pytest.mark.parametrize("leaders", [(), (-1,), (-1, -1)])
def test_a_topic_without_a_leader_is_not_ready(leaders: tuple[int, ...]) -> None:
    """All of its brokers are unavailable; one partition with a leader is enough."""

    async def check() -> None:
        await raise_for_problem(check_of(FakeProducer(None, leaders)).start())

    with pytest.raises(Unavailable, match="no partition has a leader"):
        asyncio.run(check())


def test_concurrent_callers_share_one_request_to_the_broker() -> None:
    """Nor again within a second; a caller who is cancelled does not affect the others."""
    producer = FakeProducer()

    async def check() -> None:
        check = check_of(producer)
        producer.may_respond.clear()
        several = [asyncio.create_task(raise_for_problem(check.start())) for _ in range(50)]
        await asyncio.sleep(0)
        assert check.is_running()
        several.pop().cancel()
        await asyncio.sleep(0)
        producer.may_respond.set()
        await asyncio.gather(*several)
        assert not check.is_running()
        await raise_for_problem(check.start())

    asyncio.run(check())
    [(topic, within_s)] = producer.requests
    assert topic == "goals"
    assert within_s <= 2


def test_the_broker_is_requested_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new topic is found, and a deleted one is reported."""
    monkeypatch.setattr(topic_check, "CHECK_EVERY_S", 0)
    producer = FakeProducer(UNKNOWN)

    async def check() -> None:
        check = check_of(producer)
        for found in (UNKNOWN, None, UNKNOWN, AWAY, None):
            producer.found = found
            if found is None:
                await raise_for_problem(check.start())
            else:
                with pytest.raises(Unavailable):
                    await raise_for_problem(check.start())

    asyncio.run(check())
    assert len(producer.requests) == 5
