"""A function that is slow, while instances of the Kafka trigger join, leave and die.

This is where Knative's KafkaSource delivered 8,106 of 10,000 records twice: a client that
waits for its function polls too late, and loses its partitions each time.
"""

from pathlib import Path

import pytest

from tests.integration.walk.rules import violations
from tests.integration.walk.scenario import Scenario, scenario
from tests.integration.walk.script import NoFaults
from tests.support.drivers.broker import PROTOCOLS, Broker
from tests.support.drivers.trigger_process import PARTITIONS
from tests.support.length import LENGTH
from tests.support.waiting import eventually

# How many records, how many in a batch, the seconds that the function takes for one of those.
RECORDS, BATCH, TAKES_S = {"short": (2_000, 10, 0.1), "long": (10_000, 100, 3.0)}[LENGTH]
SPOKEN = {"short": PROTOCOLS[-1:], "long": PROTOCOLS}[LENGTH]
WITHIN_S = 30 + RECORDS / BATCH * TAKES_S / PARTITIONS * 2
MEANWHILE = PARTITIONS * 2  # deliveries between two changes of the group


@pytest.mark.parametrize("protocol", SPOKEN)
def test_a_slow_function_gets_only_what_was_in_flight_at_a_kill_twice(
    broker: Broker, tmp_path: Path, protocol: str
) -> None:
    """Two join, one leaves, one is killed: none lost, 0 twice up to the kill, a batch each then."""
    with scenario(
        broker,
        tmp_path,
        NoFaults(),
        takes_s=TAKES_S,
        protocol=protocol,
        batch_size=BATCH,
        timeout_s=TAKES_S + 5,
    ) as here:
        here.write(-(-RECORDS // PARTITIONS))
        here.start()
        meanwhile(here)
        leaving = joined(here)
        meanwhile(here)
        assert here.stop(leaving) == 0
        meanwhile(here)
        killed = joined(here)
        meanwhile(here)
        assert here.history.accepted_again() == 0
        here.kill(killed)
        joined(here)
        eventually(here.is_done, WITHIN_S)
        assert [here.stop(name) for name in list(here.running)] == [0, 0]
    assert not violations(here.history.facts)
    assert here.history.accepted_again() <= PARTITIONS * BATCH


def joined(here: Scenario) -> str:
    """Let one more instance join, and wait until each has some of the partitions."""
    name = here.start()
    here.running[name].wait_until_assigned()
    return name


def meanwhile(here: Scenario) -> None:
    """Let some batches through, if there are any left."""
    enough = here.history.deliveries() + MEANWHILE
    eventually(lambda: here.history.deliveries() >= enough or here.is_done())
