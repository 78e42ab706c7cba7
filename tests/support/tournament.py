"""The World Cup of 2022, replayed into a running stack or containers."""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from local.replay.arguments import SAMPLE
from local.replay.openfootball import read
from local.replay.posting import Accepted
from local.replay.progress import Listener
from local.replay.report import Report
from local.replay.run import Options, replay

GOALS_OF_2022 = 172
AFTER = 60  # goals; enough that each part is at work


class Runs(Protocol):
    """The embedded stack, or the containers."""

    @property
    def events_url(self) -> str:
        """The URL for POST /events."""

    @property
    def highlights_url(self) -> str:
        """The URL for GET /highlights."""


def replay_2022(runs: Runs, listener: Listener | None = None, **options: Any) -> Report:
    """Replay all 64 matches; `options` are those of `Replay`."""
    return asyncio.run(
        replay(
            read(SAMPLE),
            Options(runs.events_url, runs.highlights_url, **{"speed": math.inf, **options}),
            listener,
        )
    )


def replay_with_fault(runs: Runs, fault: Callable[[], object], **options: Any) -> Report:
    """Replay all matches, and call `fault` halfway; exceptions of `fault` are raised."""
    with ThreadPoolExecutor(1) as pool:
        injector = FaultInjector(fault, pool)
        report = replay_2022(runs, injector, wait_s=90, **options)
    injector.faults[0].result()
    return report


class FaultInjector(Listener):
    """Calls `fault` in a thread after some accepted goals."""

    def __init__(self, fault: Callable[[], object], pool: ThreadPoolExecutor) -> None:
        self.faults: list[Future[object]] = []
        self._fault = fault
        self._pool = pool
        self._count = 0

    def accepted(self, accepted: Accepted) -> None:  # noqa: ARG002 - a Listener's
        """Count the goal."""
        self._count += 1
        if self._count == AFTER:
            self.faults.append(self._pool.submit(self._fault))
