"""Whether a publisher says that it is ready."""

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
        self.asked: list[tuple[str, float]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def list_topics(self, topic: str, timeout: float) -> Any:
        """Answer once it may."""
        self.asked.append((topic, timeout))
        assert self.may_answer.wait(20)
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
def test_what_is_missing_is_said(found: Any, reason: str) -> None:
    """Without any address: anybody may ask."""

    async def ask() -> None:
        await raise_for_problem(check_of(FakeProducer(found)).start())

    with pytest.raises(Unavailable) as error:
        asyncio.run(ask())
    assert str(error.value) == reason


@pytest.mark.parametrize("leaders", [(), (-1,), (-1, -1)])
def test_a_topic_that_nobody_leads_takes_no_record(leaders: tuple[int, ...]) -> None:
    """All of its brokers are away; one leader of several will do for most."""

    async def ask() -> None:
        await raise_for_problem(check_of(FakeProducer(None, leaders)).start())

    with pytest.raises(Unavailable, match="no partition has a leader"):
        asyncio.run(ask())


def test_the_broker_is_asked_once_however_many_ask() -> None:
    """And not again within the same second; one who gives up takes nothing from the others."""
    producer = FakeProducer()

    async def ask() -> None:
        check = check_of(producer)
        producer.may_answer.clear()
        several = [asyncio.create_task(raise_for_problem(check.start())) for _ in range(50)]
        await asyncio.sleep(0)
        assert check.is_running()
        several.pop().cancel()
        await asyncio.sleep(0)
        producer.may_answer.set()
        await asyncio.gather(*several)
        assert not check.is_running()
        await raise_for_problem(check.start())

    asyncio.run(ask())
    [(topic, within_s)] = producer.asked
    assert topic == "goals"
    assert within_s <= 2


def test_it_is_asked_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic that is made is found, one that is deleted is missed."""
    monkeypatch.setattr(topic_check, "CHECK_EVERY_S", 0)
    producer = FakeProducer(UNKNOWN)

    async def ask() -> None:
        check = check_of(producer)
        for found in (UNKNOWN, None, UNKNOWN, AWAY, None):
            producer.found = found
            if found is None:
                await raise_for_problem(check.start())
            else:
                with pytest.raises(Unavailable):
                    await raise_for_problem(check.start())

    asyncio.run(ask())
    assert len(producer.asked) == 5
