"""Work that an answer leaves pending is awaited, for a limited time."""

import asyncio
import time

from functions.shared.concurrency import pending_work
from functions.shared.kafka.publisher import Publisher, Record
from functions.shared.kafka.settings import KafkaSettings

RECORD = Record("topic", "key", b"{}", {})


async def seconds_to_drain(deadline_s: float, timeout_s: float) -> float:
    """Return how long announcements to no broker are awaited; the publisher's deadline ends them.

    Both limits are in seconds.
    """
    settings = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "PUBLISH_DEADLINE_S": deadline_s}
    publisher = Publisher(KafkaSettings.model_validate(settings), topic="topic")
    began = time.monotonic()
    publisher.announce([RECORD])
    publisher.announce([RECORD])
    await pending_work.drain(timeout_s)
    return time.monotonic() - began


def test_an_announcement_is_awaited_until_it_is_acknowledged_or_lost() -> None:
    """Here it is lost when its deadline passes."""
    assert 0.2 <= asyncio.run(seconds_to_drain(deadline_s=0.2, timeout_s=60)) < 30


def test_an_announcement_is_not_awaited_beyond_the_timeout() -> None:
    """Which may be shorter than the publisher's deadline."""
    assert 0.2 <= asyncio.run(seconds_to_drain(deadline_s=60, timeout_s=0.2)) < 30


def test_the_work_of_another_event_loop_is_not_awaited() -> None:
    """That loop may be closed."""

    async def start_work() -> None:
        pending_work.track()

    async def finish_work() -> bool:
        asyncio.get_running_loop().call_soon(pending_work.track().set_result, None)
        async with asyncio.timeout(5):
            await pending_work.drain(60)
        return True

    asyncio.run(start_work())
    assert asyncio.run(finish_work())
