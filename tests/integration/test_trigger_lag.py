"""The lag behind transactional producers, which leave offsets without a record."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.support.drivers.broker import KIND, PROTOCOLS, QUIET, Broker
from tests.support.drivers.trigger_commands import CommandWorld
from tests.support.servers.function_server import FunctionServer
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(
    KIND == "embedded", reason="the embedded broker knows no transactions"
)
ANSWERS_WITHIN_S = 30


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[CommandWorld]:
    """A topic and a function that accepts all."""
    with FunctionServer() as function:
        yield CommandWorld(broker, function, tmp_path)


class Transactions:
    """A producer that writes in transactions only."""

    def __init__(self, world: CommandWorld) -> None:
        self._topic = world.topic
        servers = world.broker.bootstrap_servers
        name = {"transactional.id": world.topic, "bootstrap.servers": servers}
        self._producer = Producer({**QUIET, **name})
        self._producer.init_transactions(ANSWERS_WITHIN_S)

    def begin(self, numbers: range, partition: int = 0) -> None:
        """Begin a transaction, and write a record for each number in it."""
        self._producer.begin_transaction()
        for number in numbers:
            self._producer.produce(self._topic, str(number).encode(), partition=partition)
        assert self._producer.flush(ANSWERS_WITHIN_S) == 0

    def commit(self, numbers: range, partition: int = 0) -> None:
        """Write records that are to be read; a control record follows them."""
        self.begin(numbers, partition)
        self._producer.commit_transaction(ANSWERS_WITHIN_S)

    def abort(self, numbers: range | None = None, partition: int = 0) -> None:
        """Write records that are not to be read, or abort those of the open transaction."""
        if numbers is not None:
            self.begin(numbers, partition)
        self._producer.abort_transaction(ANSWERS_WITHIN_S)


def lags(world: CommandWorld) -> list[int]:
    """The partitions' lags as `status` reports them."""
    return [each["lag"] for each in world.status()]


@pytest.mark.parametrize("protocol", PROTOCOLS[1:])
def test_the_lag_is_0_when_all_records_are_delivered(world: CommandWorld, protocol: str) -> None:
    """Behind a commit, an abort, nothing but an abort, and a transaction that is still open."""
    transactions = Transactions(world)
    transactions.commit(range(10))
    transactions.abort(range(100, 110))
    transactions.abort(range(100, 110), partition=1)
    transactions.commit(range(10), partition=2)
    transactions.begin(range(10, 20), partition=2)
    probes = world.serve_probes()

    def measured() -> list[float | None]:
        return [
            probes.value("kafka_trigger_lag_records", partition=str(number)) for number in range(3)
        ]

    with world.trigger(protocol):
        eventually(lambda: len(world.accepted) == 20)
        eventually(lambda: world.is_committed({0: 22, 1: 11, 2: 11}))
        eventually(lambda: measured() == [0, 0, 0])
        assert lags(world) == [0, 0, 0]
        transactions.abort()
        eventually(lambda: world.is_committed({0: 22, 1: 11, 2: 22}))
        transactions.commit(range(20, 25))
        eventually(lambda: world.is_committed({0: 28, 1: 11, 2: 22}))
        eventually(lambda: measured() == [0, 0, 0])
    assert len(world.accepted) == 25
    assert lags(world) == [0, 0, 0]


def test_the_lag_of_a_stopped_group_counts_only_records(world: CommandWorld) -> None:
    """Control records and aborted ones behind its offset do not count."""
    with world.trigger() as trigger:
        world.write(range(5))
        eventually(lambda: world.is_committed({0: 5}))
        assert trigger.end() == 0
    transactions = Transactions(world)
    transactions.abort(range(100, 110))
    transactions.abort(range(100, 110), partition=1)
    assert lags(world) == [0, 0, 0]
    transactions.commit(range(5, 6))
    assert lags(world)[0] > 0
    with world.trigger():
        eventually(lambda: len(world.accepted) == 6)
        eventually(lambda: lags(world) == [0, 0, 0])
