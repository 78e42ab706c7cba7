from local.stack.stack import Stack
from tests.support.drivers.table import Table
from tests.support.tournament import GOALS_OF_2022, replay_2022


def test_all_matches_of_2022_make_172_ready_highlights(stack: Stack, table: Table) -> None:
    """Every goal of the tournament becomes one READY highlight, and nothing else does."""
    report = replay_2022(stack)
    assert (report.ready, report.missing, report.unexpected) == (GOALS_OF_2022, {}, set())
    assert table.statuses() == {"READY": GOALS_OF_2022}


def test_three_times_over_and_shuffled_they_are_still_172(stack: Stack, table: Table) -> None:
    """Events that are posted again, in another order, change nothing."""
    report = replay_2022(stack, times=3, shuffle=2022)
    assert (report.ready, report.missing, report.unexpected) == (GOALS_OF_2022, {}, set())
    assert table.statuses() == {"READY": GOALS_OF_2022}
