"""The Kafka trigger under faults: a seeded random walk, whose every history keeps the rules."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.integration.walk.rules import violations
from tests.integration.walk.scenario import scenario
from tests.integration.walk.script import Script
from tests.integration.walk.walk import Walk
from tests.support.drivers.broker import KIND, PROTOCOLS, Broker
from tests.support.drivers.trigger_process import PARTITIONS
from tests.support.length import IS_LONG

AT_ONCE = 2 if IS_LONG else len(PROTOCOLS)  # walks, since they wait most of the time
SEEDS = 50 if IS_LONG else len(PROTOCOLS)
CAUGHT_BY = {
    "commit_before_the_answer": "commits_pass_only_what_is_done",
    "no_fence": "nothing_is_repeated_without_cause",
    "no_pause": "all_is_committed_in_the_end",
}
CHANCES = 3  # seeds that a mutant is given to be caught
FIRST = [
    pytest.param(first, marks=() if KIND == "kafka" and not first else pytest.mark.long)
    for first in range(0, SEEDS, AT_ONCE)
]
REAL = ("local.kafka_trigger",)


def walked(broker: Broker, folder: Path, seed: int, program: tuple[str, ...] = REAL) -> list[str]:
    """The broken rules in the walk of a seed, with files in a folder of its own."""
    script = Script(seed, PARTITIONS)
    own = folder / str(seed)
    with scenario(
        broker,
        own,
        script,
        takes_s=0.02,
        protocol=PROTOCOLS[seed % len(PROTOCOLS)],
        program=program,
        batch_bytes=1000,
    ) as scene:
        failed = _failed(Walk(seed, scene))
    return [f"seed {seed}: {each}" for each in (*failed, *violations(scene.history.facts))]


def _failed(walk: Walk) -> list[str]:
    try:
        walk.run()
    except AssertionError as error:
        return [str(error)]
    return []


@pytest.mark.parametrize("first", FIRST)
def test_every_record_is_accepted_or_a_dead_letter_under_all_faults(
    broker: Broker, tmp_path: Path, first: int
) -> None:
    """Kills, rebalances, outages, lost and late and false responses: no rule is broken.

    On Apache Kafka in each of its group protocols in turn, and with restarts of the broker.
    """
    with ThreadPoolExecutor() as threads:
        wrong = threads.map(partial(walked, broker, tmp_path), range(first, first + AT_ONCE))
        assert [*wrong] == [[]] * AT_ONCE


@pytest.mark.long
@pytest.mark.parametrize(("mutant", "rule"), CAUGHT_BY.items())
def test_a_trigger_that_breaks_a_guarantee_is_detected(
    broker: Broker, tmp_path: Path, mutant: str, rule: str
) -> None:
    """The same walk over a mutant of the trigger finds the rule that is broken."""
    program = ("tests.integration.walk.mutants", mutant)
    wrong = (walked(broker, tmp_path, seed, program) for seed in range(CHANCES))
    assert any(rule in each for walk in wrong for each in walk)
