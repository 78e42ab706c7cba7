"""What an answer leaves under way is waited for, if not for ever."""

import asyncio
import time

from functions.shared.concurrency import pending_work
from functions.shared.kafka.publisher import Publisher, Record
from functions.shared.kafka.settings import KafkaSettings

NEWS = Record("topic", "key", b"{}", {})


async def announced(deadline_s: float, within_s: float) -> float:
    """How many seconds an announcement to no broker is waited for; the deadline is its end."""
    settings = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "PUBLISH_DEADLINE_S": deadline_s}
    publisher = Publisher(KafkaSettings.model_validate(settings), topic="topic")
    began = time.monotonic()
    publisher.announce([NEWS])
    publisher.announce([NEWS])
    await pending_work.drain(within_s)
    return time.monotonic() - began


def test_an_announcement_is_waited_for_as_long_as_it_is_under_way() -> None:
    """Until it is acknowledged or lost."""
    assert 0.2 <= asyncio.run(announced(deadline_s=0.2, within_s=60)) < 30


def test_it_is_not_waited_for_beyond_the_limit() -> None:
    """Which is shorter than the deadline of the broker."""
    assert 0.2 <= asyncio.run(announced(deadline_s=60, within_s=0.2)) < 30


def test_what_another_loop_left_is_not_waited_for() -> None:
    """It may be gone."""

    async def leave() -> None:
        pending_work.track()

    async def tie() -> bool:
        asyncio.get_running_loop().call_soon(pending_work.track().set_result, None)
        async with asyncio.timeout(5):
            await pending_work.drain(60)
        return True

    asyncio.run(leave())
    assert asyncio.run(tie())
