"""The World Cup of 2022, replayed into a stack as fast as it answers."""

import asyncio
import math
from typing import Any

from local.embedded.stack import Stack
from local.replay.arguments import SAMPLE
from local.replay.openfootball import read
from local.replay.report import Report
from local.replay.run import replay

GOALS_OF_2022 = 172


def replay_2022(stack: Stack, **options: Any) -> Report:
    """The report of a replay of all 64 matches; `options` are those of `replay`."""
    return asyncio.run(
        replay(
            read(SAMPLE),
            events_url=stack.events_url,
            highlights_url=stack.highlights_url,
            speed=math.inf,
            **options,
        )
    )
