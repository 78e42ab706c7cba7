import asyncio
import math

from local.embedded.stack import Stack
from local.replay.arguments import SAMPLE
from local.replay.openfootball import read
from local.replay.run import replay
from tests.integration.table import Table

GOALS_OF_2022 = 172


def test_all_matches_of_2022_make_172_ready_highlights(stack: Stack, table: Table) -> None:
    """Every goal of the tournament becomes one READY highlight, and nothing else does."""
    report = asyncio.run(
        replay(
            read(SAMPLE),
            events_url=stack.events_url,
            highlights_url=stack.highlights_url,
            speed=math.inf,
        )
    )
    assert (report.ready, report.missing, report.unexplained) == (GOALS_OF_2022, {}, set())
    assert table.statuses() == {"READY": GOALS_OF_2022}


def test_three_times_over_and_shuffled_they_are_still_172(stack: Stack, table: Table) -> None:
    """What is posted again, in another order, changes nothing."""
    report = asyncio.run(
        replay(
            read(SAMPLE),
            events_url=stack.events_url,
            highlights_url=stack.highlights_url,
            speed=math.inf,
            times=3,
            shuffle=2022,
        )
    )
    assert (report.ready, report.missing, report.unexplained) == (GOALS_OF_2022, {}, set())
    assert table.statuses() == {"READY": GOALS_OF_2022}
