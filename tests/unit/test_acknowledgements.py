"""How long a producer waits for an acknowledgement."""

import asyncio
from collections.abc import Sequence

import pytest

from functions.shared.errors import NotAcknowledged
from functions.shared.kafka.acknowledgements import (
    Acknowledged,
    Acknowledgement,
    PendingAcks,
)

DEADLINE_S = 5


def after(checks_at_s: Sequence[float], count: int = 1) -> list[Acknowledged]:
    """Publish at 0 s and check the deadlines at these times; return the pending records."""

    async def publish() -> list[Acknowledged]:
        awaited = PendingAcks()
        published = [asyncio.get_running_loop().create_future() for _ in range(count)]
        for each in published:
            awaited.add(Acknowledgement(each, 1, DEADLINE_S), 0)
        for at in checks_at_s:
            awaited.expire(at)
        return published

    return asyncio.run(publish())


def test_the_deadline_ends_the_wait() -> None:
    """The wait does not end earlier."""
    steady = [each / 10 for each in range(51)]
    [late] = after(steady)
    [in_time] = after(steady[:-1])
    assert not in_time.done()
    with pytest.raises(NotAcknowledged, match="no acknowledgement in time"):
        late.result()


def test_a_freeze_does_not_count() -> None:
    """A frozen process cannot receive acknowledgements: the remaining time is unchanged."""
    awaited = after([0.1, 3600, 3600.5, 3604.9], count=2)
    assert not any(each.done() for each in awaited)
    awaited = after([0.1, 3600, *(3600 + each / 10 for each in range(1, 51))], count=2)
    assert all(each.done() and each.exception() for each in awaited)


def test_a_record_published_after_a_freeze_has_its_own_deadline() -> None:
    """A time without pending records is not counted as a freeze."""

    async def publish() -> Acknowledged:
        awaited = PendingAcks()
        done: Acknowledged = asyncio.get_running_loop().create_future()
        awaited.add(Acknowledgement(done, 1, 3600 + DEADLINE_S), 3600)
        for tenth in range(51):
            awaited.expire(3600 + tenth / 10)
        return done

    assert asyncio.run(publish()).exception()
