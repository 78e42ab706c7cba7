"""The World Cup of 2022, replayed into whatever runs."""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

from local.replay.arguments import SAMPLE
from local.replay.openfootball import read
from local.replay.posting import Accepted
from local.replay.report import Report
from local.replay.run import replay

GOALS_OF_2022 = 172
AFTER = 60  # goals; enough that each part is at work


class Runs(Protocol):
    """The embedded stack, or the containers."""

    @property
    def events_url(self) -> str:
        """Where events are posted."""

    @property
    def highlights_url(self) -> str:
        """Where highlights are read."""


def replay_2022(runs: Runs, **options: Any) -> Report:
    """The report of a replay of all 64 matches; `options` are those of `replay`."""
    return asyncio.run(
        replay(
            read(SAMPLE),
            events_url=runs.events_url,
            highlights_url=runs.highlights_url,
            **{"speed": math.inf, **options},
        )
    )


def replay_with_fault(runs: Runs, fault: Callable[[], object], **options: Any) -> Report:
    """The report of a replay in whose midst something happens; raises what that raises."""
    accepted: list[Accepted] = []
    faults: list[Future[object]] = []

    def on_accepted(event: Accepted) -> None:
        accepted.append(event)
        if len(accepted) == AFTER:
            faults.append(pool.submit(fault))

    with ThreadPoolExecutor(1) as pool:
        report = replay_2022(runs, wait=90, on_accepted=on_accepted, **options)
    faults[0].result()
    return report
