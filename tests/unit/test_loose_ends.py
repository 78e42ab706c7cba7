"""What an answer leaves under way is waited for, if not for ever."""

import asyncio
import time

from functions.shared import loose_ends
from functions.shared.publisher import Publisher, Record
from functions.shared.settings import KafkaSettings

NOBODY = KafkaSettings.model_validate({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
NEWS = Record("topic", "key", b"{}", {})


def test_an_announcement_that_is_not_acknowledged_is_a_loose_end() -> None:
    """Who may be frozen waits for it; until the time is over, since there is no broker here."""

    async def announce() -> float:
        publisher = Publisher(NOBODY)
        began = time.monotonic()
        publisher.announce([NEWS])
        publisher.announce([NEWS])
        await loose_ends.tied(0.2)
        return time.monotonic() - began

    assert 0.2 <= asyncio.run(announce()) < 2


def test_it_is_waited_for_no_longer_than_it_takes() -> None:
    """And those of another loop, which may be gone, are none of ours."""

    async def leave() -> None:
        loose_ends.leave()

    async def tie() -> bool:
        asyncio.get_running_loop().call_soon(loose_ends.leave().set_result, None)
        async with asyncio.timeout(5):
            await loose_ends.tied(60)
        return True

    asyncio.run(leave())
    assert asyncio.run(tie())
