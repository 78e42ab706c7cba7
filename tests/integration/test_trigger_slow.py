"""A slow function, while instances of the Kafka trigger join, leave and are killed.

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
SOME = PARTITIONS * 2  # deliveries between two changes of the group


@pytest.mark.parametrize("protocol", SPOKEN)
def test_a_slow_function_gets_only_what_was_in_flight_at_a_kill_twice(
    broker: Broker, tmp_path: Path, protocol: str
) -> None:
    """Two join, one leaves, one is killed: no loss, repeats only after the kill, a batch each."""
    with scenario(
        broker,
        tmp_path,
        NoFaults(),
        takes_s=TAKES_S,
        protocol=protocol,
        batch_size=BATCH,
        timeout_s=TAKES_S + 5,
    ) as scene:
        scene.write(-(-RECORDS // PARTITIONS))
        scene.start()
        deliver_some(scene)
        leaving = join(scene)
        deliver_some(scene)
        assert scene.stop(leaving) == 0
        deliver_some(scene)
        killed = join(scene)
        deliver_some(scene)
        assert scene.history.accepted_again() == 0
        scene.kill(killed)
        join(scene)
        eventually(scene.is_done, WITHIN_S)
        assert [scene.stop(name) for name in list(scene.running)] == [0, 0]
    assert not violations(scene.history.facts)
    assert scene.history.accepted_again() <= PARTITIONS * BATCH


def join(scene: Scenario) -> str:
    """Start one more instance, and wait until it has partitions; return its name."""
    name = scene.start()
    scene.running[name].wait_until_assigned()
    return name


def deliver_some(scene: Scenario) -> None:
    """Wait until some more batches are delivered, or all are."""
    enough = scene.history.deliveries() + SOME
    eventually(lambda: scene.history.deliveries() >= enough or scene.is_done())
