"""The embedded stack, started once for all tests that ask for it, and the brokers."""

import re
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest
from redis import Redis

from functions.shared.postgres.connection import connect
from infra.migrate import migrate
from local.stack.ports import free_port
from local.stack.stack import Stack, running_stack
from tests.support.drivers.apache_kafka import ApacheKafka, running_kafka
from tests.support.drivers.broker import KIND, Broker, running_broker
from tests.support.drivers.docker import docker_runs
from tests.support.drivers.table import TIMEOUT_S, Table
from tests.support.servers.redis_server import empty

# Leases of a killed enricher expire soon; all else is as in `make up`.
SETTINGS = {"ENRICH_LEASE_S": "3", "ENRICH_TIMEOUT_S": "2"}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack with its own services, whatever services the environment names."""
    state = tmp_path_factory.mktemp("stack")
    with running_stack(state, settings=SETTINGS, environ={}, print_line=print) as running:
        restore(running)
        yield running


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With Apache Kafka as broker, deselect the tests that use no broker."""
    if KIND == "embedded":
        return
    others = [each for each in items if "broker" not in getattr(each, "fixturenames", ())]
    config.hook.pytest_deselected(items=others)
    items[:] = [each for each in items if each not in others]


@pytest.fixture(scope="session")
def apache_kafka() -> Iterator[ApacheKafka]:
    """Apache Kafka in a container; without Docker the run ends."""
    if not docker_runs():
        pytest.exit("Docker with Compose does not run here", returncode=0)
    with running_kafka(free_port()) as running:
        yield running


@pytest.fixture(scope="module")
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A broker for all tests of a file; each test has its own topics."""
    if KIND == "kafka":
        yield request.getfixturevalue("apache_kafka")
        return
    with running_broker(free_port()) as running:
        yield running


@pytest.fixture(autouse=True)
def restored_stack(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test, restore the stack: all processes run and are ready."""
    yield
    if "stack" in request.fixturenames:
        restore(request.getfixturevalue("stack"))


@pytest.fixture
def table(stack: Stack) -> Table:
    """The empty table `highlights`, and an empty cache."""
    with closing(Redis.from_url(stack.redis_url)) as redis:
        empty(redis)
    table = Table(stack.database_url)
    table.run("TRUNCATE highlights")
    return table


@pytest.fixture
def empty_database(stack: Stack) -> Iterator[str]:
    """The URL of a database without a table."""
    name = f"test_{uuid4().hex}"
    with closing(connect(stack.database_url, TIMEOUT_S)) as connection:
        connection.run(f"CREATE DATABASE {name}")
        yield re.sub(r"/[^/]*$", f"/{name}", stack.database_url)
        connection.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def own_table(empty_database: str) -> Table:
    """The empty table `highlights` in a new database, which no function uses."""
    with closing(connect(empty_database, TIMEOUT_S)) as connection:
        migrate(connection)
    return Table(empty_database)


@pytest.fixture
def quiet_stack(stack: Stack) -> Stack:
    """The stack without its enricher, which is started again afterwards."""
    stack.processes["enrich_batch"].stop()
    return stack


def restore(stack: Stack) -> None:
    """Resume paused processes, start stopped ones, wait until all are ready; empty the cache."""
    lasting = [process for process in stack.processes.values() if not process.command.once]
    for process in lasting:
        process.resume()
        process.start()
    for process in lasting:
        process.wait_ready()
    with closing(Redis.from_url(stack.redis_url)) as redis:
        empty(redis)
