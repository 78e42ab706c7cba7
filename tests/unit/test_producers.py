"""The producers of an event loop over a long outage."""

import asyncio
import gc
from typing import Any, cast

from confluent_kafka import Producer

from functions.shared.kafka.producers import DRAIN_GRACE_S, RENEWALS, Producers

STEP_S = 0.05
OUTAGE_S = 120


class StuckProducer:
    """A producer that holds one record until it is purged."""

    alive = 0

    def __init__(self) -> None:
        StuckProducer.alive += 1
        self.held = 1

    def __del__(self) -> None:
        StuckProducer.alive -= 1

    def __len__(self) -> int:
        return self.held

    def poll(self, _: float) -> None:
        """Report nothing."""

    def purge(self, **_: Any) -> None:
        """Give it up."""
        self.held = 0


def max_producers(deadline_s: float) -> int:
    """Return the largest number of producers in an outage in which each delivery fails early."""

    async def outlast() -> int:
        now = 0.0
        loop = asyncio.get_running_loop()
        loop.time = lambda: now  # type: ignore[method-assign]
        producers = Producers(lambda: cast(Producer, StuckProducer()), deadline_s)
        most = 0
        while now < OUTAGE_S:
            now += STEP_S
            producers.failed(producers.get())
            producers.poll()
            most = max(most, len(list(producers)))
        return most

    most = asyncio.run(outlast())
    gc.collect()
    assert StuckProducer.alive == 0
    return most


def test_there_are_few_producers_at_a_time() -> None:
    """However long the outage is, and however long a record may take."""
    for deadline_s in (1, 5, 60):
        bound = RENEWALS + DRAIN_GRACE_S + 2
        assert 1 < max_producers(deadline_s) <= bound
