"""`status`, the usage errors of all commands, and `run --fault`, against a real broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.ports import free_port
from tests.support.drivers.broker import Broker
from tests.support.drivers.trigger_commands import CommandWorld
from tests.support.drivers.trigger_process import PARTITIONS
from tests.support.servers.function_server import FunctionServer, Reply
from tests.support.waiting import eventually


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[CommandWorld]:
    """A topic and a function that takes all records."""
    with FunctionServer() as function:
        yield CommandWorld(broker, function, tmp_path)


def test_status_tells_the_lag_of_each_partition(world: CommandWorld) -> None:
    """Before the trigger ran, and after; a partition without records has none."""
    world.write(range(250), 0)
    world.write(range(3), 1)
    before = world.status()
    assert [(each["committed"], each["end"], each["lag"]) for each in before] == [
        (None, 250, 250),
        (None, 3, 3),
        (None, 0, 0),
    ]
    with world.trigger():
        eventually(lambda: world.is_committed({0: 250, 1: 3}))
    world.write(range(7), 1)
    after = world.status()
    assert [(each["committed"], each["end"], each["lag"]) for each in after] == [
        (250, 250, 0),
        (3, 10, 7),
        (None, 0, 0),
    ]


def test_status_asks_the_triggers_that_run(world: CommandWorld) -> None:
    """It reports records in flight and their attempts; an address without a trigger is named."""
    world.write(range(10), 1)
    world.function.reply = lambda _: Reply(503)
    port = free_port()
    world.options = ("--port", str(port))
    url, unused = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    with world.trigger():
        eventually(lambda: (world.status("--url", url)[1]["attempts"] or 0) > 2)
        result = world.command("status", "--url", url, "--url", unused)
    idle, busy = (line for line in result.stdout.splitlines() if "partition=2" not in line)
    assert "in_flight=10 paused=no" in busy
    assert "in_flight=0 paused=no attempts=0 oldest_age_s=-" in idle
    assert result.stderr.startswith(f"{unused}: no trigger answers: ")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("replay", "--from", "5"), "an offset belongs to a partition: --partition N is needed"),
        (("replay", "--from", "5", "--partition", "3"), "has partitions 0 to 2"),
        (("replay", "--from", "earliest", "--trigger", "no"), "there is no such trigger here"),
        (("dlq", "redrive"), "give either ids or --all"),
        (("replay", "--from", "earliest", "--function", "f:80"), "is no http:// or https://"),
        (("replay", "--from", "yesterday"), "'yesterday' is neither an offset, nor a time"),
    ],
)
def test_a_usage_error_is_reported(
    world: CommandWorld, arguments: tuple[str, ...], error: str
) -> None:
    """With exit status 2."""
    result = world.command(*arguments)
    assert result.status == 2
    assert error in result.stderr


@pytest.mark.parametrize(
    "arguments", [("status",), ("dlq", "list"), ("replay", "--from", "earliest")]
)
def test_a_broker_that_cannot_be_reached_is_reported_in_one_line(
    world: CommandWorld, arguments: tuple[str, ...]
) -> None:
    """With exit status 1."""
    servers = world.broker.bootstrap_servers
    world.file.write_text(world.file.read_text().replace(servers, "127.0.0.1:1"))
    result = world.command(*arguments)
    assert (result.status, len(result.stderr.splitlines())) == (1, 1)
    assert "Connection refused" in result.stderr


def test_injected_faults_repeat_records_and_lose_none(world: CommandWorld) -> None:
    """Duplicates, lost answers and rebalances: all records arrive, and the log tells each fault."""
    for partition in range(PARTITIONS):
        world.write(range(300), partition)
    faults = ("duplicate:0.3", "drop-answer:0.2", "rebalance:0.2")
    world.options = (*(word for each in faults for word in ("--fault", each)), "--seed", "7")
    with world.trigger(batch_size=20) as trigger:
        eventually(lambda: world.is_committed(dict.fromkeys(range(PARTITIONS), 300)))
        assert (
            trigger.log_lines("FAULTS ARE ON: this trigger disturbs its function")[0]["seed"] == 7
        )
        injected = {line["fault"] for line in trigger.log_lines("fault on purpose")}
        assert injected == {"duplicate", "drop-answer", "rebalance"}
        assert trigger.end() == 0
    for partition in range(PARTITIONS):
        assert set(world.accepted_numbers(partition)) == set(range(300))
    assert len(world.accepted) > 300 * PARTITIONS
