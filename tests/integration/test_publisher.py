"""A publisher recovers by itself from any broker failure, and loses no acknowledged record."""

import asyncio
import logging
import time
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError

from functions.shared.kafka import producers
from tests.support.drivers.broker import Broker
from tests.support.drivers.publishing import Posts
from tests.support.length import IS_LONG
from tests.support.servers.mock_cluster import mock_cluster

DEADLINE_S = 5 if IS_LONG else 1
# Until its own deadline has passed at the latest, whatever is in flight.
RECOVERS_WITHIN_S = DEADLINE_S + 3
# A request in flight is given up a second after the deadline of its records.
PAUSES_S = (2, 4, 6, 8, 30) if IS_LONG else (2.5,)
IN_FLIGHT = (1, 500) if IS_LONG else (1,)
REFUSALS = 5 if IS_LONG else 1
REFUSED_WITH = [
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
    KafkaError.UNKNOWN_PRODUCER_ID,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.INVALID_RECORD,
    KafkaError.UNKNOWN,
]

log = logging.getLogger(__name__)


@pytest.mark.parametrize("in_flight", IN_FLIGHT)
@pytest.mark.parametrize("pause_s", PAUSES_S)
def test_a_publisher_recovers_after_its_broker_hung(
    broker: Broker, pause_s: float, in_flight: int
) -> None:
    """For longer than a record's deadline, with records in flight: the next possible post succeeds.

    It says meanwhile that it is not ready, within two seconds or so.
    """

    async def work() -> Posts:
        posts = Posts(broker.bootstrap_servers, broker.create(), DEADLINE_S)
        assert await posts.post()
        await posts.wait_for_reason(None)
        with broker.paused():
            began = time.monotonic()
            waiting = [asyncio.create_task(posts.post()) for _ in range(in_flight)]
            assert await asyncio.wait_for(posts.unready_reason(), 3) in {
                None,
                "The broker does not answer.",
            }
            while (left := began + pause_s - time.monotonic()) > 0:
                waiting.append(asyncio.create_task(posts.post()))
                await asyncio.sleep(min(left, 0.5))
        recovered_s = await posts.recover()
        log.info("%s s, %d in flight: back after %.2f s", pause_s, in_flight, recovered_s)
        assert recovered_s < RECOVERS_WITHIN_S
        await asyncio.gather(*waiting)
        assert all([await posts.post() for _ in range(50)])
        await posts.wait_for_reason(None)
        return await posts.finish()

    posts = asyncio.run(work())
    assert posts.lost(broker) == set()


def test_a_publisher_is_unready_while_its_broker_hangs(broker: Broker) -> None:
    """It is unready, and ready again once the broker answers, even if nobody posts."""

    async def work() -> None:
        posts = Posts(broker.bootstrap_servers, broker.create(), DEADLINE_S)
        await posts.wait_for_reason(None)
        with broker.paused():
            await posts.wait_for_reason("The broker does not answer.")
        await posts.wait_for_reason(None)

    asyncio.run(work())


def test_a_publisher_recovers_after_its_broker_lost_all_data(broker: Broker) -> None:
    """Until its topics are created again, it answers 503 with the reason."""

    async def work() -> Posts:
        topic = broker.create()
        posts = Posts(broker.bootstrap_servers, topic, DEADLINE_S)
        assert all([await posts.post() for _ in range(10)])
        waiting = asyncio.create_task(posts.post())
        await asyncio.to_thread(broker.empty)
        await waiting
        assert not await posts.post()
        await posts.wait_for_reason(f"The broker has no topic {topic}.")
        posts.acknowledged.clear()
        await asyncio.to_thread(broker.create, topic)
        assert await posts.recover() < RECOVERS_WITHIN_S
        assert all([await posts.post() for _ in range(50)])
        await posts.wait_for_reason(None)
        return await posts.finish()

    posts = asyncio.run(work())
    assert posts.lost(broker) == set()


def test_a_publisher_recovers_after_its_topic_was_recreated(broker: Broker) -> None:
    """No record that was acknowledged on the new topic is lost."""

    async def work() -> Posts:
        topic = broker.create()
        posts = Posts(broker.bootstrap_servers, topic, DEADLINE_S)
        assert all([await posts.post() for _ in range(10)])
        await asyncio.to_thread(broker.delete, topic)
        await posts.post()  # the embedded broker takes it, and forgets it
        posts.acknowledged.clear()
        await asyncio.to_thread(broker.create, topic)
        assert await posts.recover() < RECOVERS_WITHIN_S
        assert all([await posts.post() for _ in range(50)])
        return await posts.finish()

    posts = asyncio.run(work())
    assert posts.lost(broker) == set()


def test_a_publisher_waits_for_its_topic_to_be_created(broker: Broker) -> None:
    """A post does not create it and gets a 503; the first post after its creation succeeds."""
    topic = f"topic-{uuid4()}"
    unknown = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART).str()

    async def work() -> Posts:
        posts = Posts(broker.bootstrap_servers, topic, DEADLINE_S)
        began = time.monotonic()
        assert not await posts.post()
        assert time.monotonic() - began < DEADLINE_S
        assert (
            await posts.unready_reason() == f"The broker does not acknowledge records: {unknown}."
        )
        await posts.wait_for_reason(f"The broker has no topic {topic}.")
        await asyncio.to_thread(broker.create, topic)
        assert await posts.recover() < RECOVERS_WITHIN_S
        await posts.wait_for_reason(None)
        return await posts.finish()

    posts = asyncio.run(work())
    assert posts.lost(broker) == set()


def test_a_publisher_recovers_after_any_error_of_its_broker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many records it refuses: once it accepts them, they are acknowledged."""
    monkeypatch.setattr(producers, "RENEW_AFTER_S", 0.2)

    async def work() -> None:
        with mock_cluster() as cluster:
            posts = Posts(cluster.bootstrap_servers, cluster.create("topic"), deadline_s=0.8)
            for code in REFUSED_WITH:
                assert await posts.recover() < RECOVERS_WITHIN_S
                cluster.refuse([code] * REFUSALS)
                await asyncio.gather(*[posts.post() for _ in range(20)])
            assert await posts.recover() < RECOVERS_WITHIN_S
            assert all([await posts.post() for _ in range(20)])

    asyncio.run(work())
