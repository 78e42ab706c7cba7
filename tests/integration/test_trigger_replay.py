"""`replay`, against a real broker and a small function."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.drivers.broker import Broker
from tests.support.drivers.trigger_commands import CommandWorld
from tests.support.drivers.trigger_process import PARTITIONS
from tests.support.servers.function_server import FunctionServer, Reply, Request
from tests.support.waiting import eventually


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[CommandWorld]:
    """A topic and a function that takes all records."""
    with FunctionServer() as function:
        yield CommandWorld(broker, function, tmp_path)


def last_line(text: str) -> str:
    """The last line of a text."""
    return text.splitlines()[-1]


def test_a_replay_delivers_records_again_and_commits_no_offset(world: CommandWorld) -> None:
    """From an offset to another, in order, in the trigger's batches."""
    world.write(range(300))
    world.write(range(5), 1)
    with world.trigger():
        eventually(lambda: world.is_committed({0: 300, 1: 5}))
    world.accepted.clear()
    some = world.command("replay", "--from", "50", "--to", "290", "--partition", "0")
    assert (some.status, last_line(some.stdout)) == (0, "240 taken, 0 not taken")
    assert world.accepted_numbers() == list(range(50, 290))
    assert max(request.body.count(b'"data"') for request in world.function.requests) == 100
    assert world.command("replay", "--from", "earliest").status == 0
    assert world.accepted_numbers(0)[240:] == list(range(300))
    assert world.accepted_numbers(1) == list(range(5))
    assert world.is_committed({0: 300, 1: 5})


def test_a_replay_from_a_time_begins_with_its_first_record(world: CommandWorld) -> None:
    """Also in the middle of a batch; a time in the future has none."""
    for second in range(10):
        world.broker.write(world.topic, [str(second).encode()], timestamp=1_000_000 + second * 1000)
    first, last = "1970-01-01T00:16:43Z", "1970-01-01T01:16:46+01:00"
    assert world.command("replay", "--from", first, "--to", last).status == 0
    assert world.accepted_numbers() == [3, 4, 5]
    later = world.command("replay", "--from", "2999-01-01T00:00:00Z")
    assert last_line(later.stdout) == "0 taken, 0 not taken"


def test_a_replay_prints_rejected_records_and_writes_no_dead_letter(world: CommandWorld) -> None:
    """Its exit status is 1; a dry run prints what would be delivered."""
    world.write(range(5))
    world.broker.write(world.topic, [b"poison"])
    dry_run = world.command("replay", "--from", "earliest", "--dry-run")
    assert "partition 0: 6 records, offsets 0 to 5" in dry_run.stdout
    assert not world.accepted
    world.function.reply = world.reject_poison
    result = world.command("replay", "--from", "earliest")
    assert result.status == 1
    assert result.stdout.splitlines() == [
        f"not taken: {world.topic} 0:5: poison",
        "partition 0: 5 records taken",
        "partition 1: 0 records taken",
        "partition 2: 0 records taken",
        "5 taken, 1 not taken",
    ]
    assert world.dead_letters() == []


def test_a_replay_applies_the_triggers_filters(world: CommandWorld) -> None:
    """A dry run too; tombstones are records like any other."""
    world.broker.write(world.topic, [None, b'{"n": 1}', b"2", None, b'{"n": 1}'])
    unfiltered = world.file.read_text()
    world.file.write_text(unfiltered + "\n[[trigger.filter]]\nvalue = { n = [1] }\n")
    dry_run = world.command("replay", "--from", "earliest", "--dry-run")
    assert "partition 0: 2 records, offsets 1 to 4" in dry_run.stdout
    result = world.command("replay", "--from", "earliest")
    assert last_line(result.stdout) == "2 taken, 0 not taken, 3 left out by the filters"
    world.file.write_text(unfiltered)
    result = world.command("replay", "--from", "earliest")
    assert last_line(result.stdout) == "5 taken, 0 not taken"


def test_a_replay_that_ends_early_prints_the_commands_that_continue(world: CommandWorld) -> None:
    """One for each partition that has records left; with these no record is missing."""
    impatient = world.file.read_text().replace("max_attempts = 3", "max_age_s = 0.3")
    world.file.write_text(impatient)
    for partition in range(PARTITIONS):
        world.write(range(300), partition)

    def become_unavailable(request: Request) -> Reply:
        return Reply(503) if len(world.accepted) >= 500 else world.accept(request)

    world.function.reply = become_unavailable
    url = f"{world.function.url}replay"
    result = world.command("replay", "--from", "earliest", "--function", url)
    assert (result.status, last_line(result.stdout)) == (1, "500 taken, 0 not taken")
    first_line = "replay: the function is unavailable: HTTP 503; continue with\n"
    _, reason, rest = result.stderr.partition(first_line)
    assert reason
    prefix = f"  python -m local.kafka_trigger replay {world.file} --trigger test --partition"
    commands = rest.splitlines()
    assert commands == [
        f"{prefix} 1 --from 200 --to 300 --function {url}",
        f"{prefix} 2 --from 0 --to 300 --function {url}",
    ]
    world.function.reply = world.accept
    for command in commands:
        _, _, _, name, _, *arguments = shlex.split(command)
        assert world.command(name, *arguments).status == 0
    assert [world.accepted_numbers(each) for each in range(PARTITIONS)] == [
        list(range(300))
    ] * PARTITIONS
