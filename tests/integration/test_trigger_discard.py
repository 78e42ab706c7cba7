"""`dlq discard`, against a real broker."""

import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT

import pytest

from local.stack import ROOT
from tests.support.drivers.broker import Broker
from tests.support.drivers.trigger_commands import CommandWorld
from tests.support.servers.function_server import FunctionServer
from tests.support.waiting import eventually


@contextmanager
def three_dead_letters(broker: Broker, folder: Path) -> Iterator[CommandWorld]:
    """Three dead letters of a trigger that no longer runs."""
    with FunctionServer() as function:
        world = CommandWorld(broker, function, folder)
        function.reply = world.reject_poison
        broker.write(world.topic, [b"a", b"b", b"c"])
        with world.trigger(dead_letter_topic=world.dlq_topic):
            eventually(lambda: world.is_committed({0: 3}))
        yield world


def ids(world: CommandWorld, *arguments: str) -> list[str]:
    """The IDs of the dead letters that are listed."""
    return [each["id"] for each in world.dead_letters(*arguments)]


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[CommandWorld]:
    """Dead letters that may be discarded."""
    with three_dead_letters(broker, tmp_path) as world:
        yield world


@pytest.fixture(scope="module")
def kept(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandWorld]:
    """Dead letters shared by the tests that discard none."""
    with three_dead_letters(broker, tmp_path_factory.mktemp("kept")) as world:
        yield world


def states(world: CommandWorld) -> dict[str, str]:
    """The states of all dead letters, by their IDs."""
    return {each["id"]: each["state"] for each in world.dead_letters("--redriven", "--discarded")}


def test_a_discarded_dead_letter_is_neither_listed_nor_redriven(world: CommandWorld) -> None:
    """It can still be shown, and to discard it again changes nothing."""
    dry_run = world.command("dlq", "discard", "0:1", "--dry-run")
    assert dry_run.stdout == "0:1: would be discarded\n1 to discard; nothing was written\n"
    assert len(world.dead_letters()) == 3

    discarded = world.command("dlq", "discard", "0:1", "--yes")
    assert (discarded.status, discarded.stdout) == (0, "0:1: discarded\n1 discarded, 0 failed\n")
    assert ids(world) == ids(world, "--redriven") == ["0:0", "0:2"]
    assert "state: discarded" in world.command("dlq", "show", "0:1").stdout

    written = world.broker.read(world.dlq_topic, 4)
    for action in (("redrive",), ("discard", "--yes"), ("discard",)):
        again = world.command("dlq", *action, "0:1")
        assert (again.status, again.stdout.splitlines()[0]) == (0, "0:1: already discarded")
    assert len(world.broker.read(world.dlq_topic, len(written))) == len(written) == 4

    assert world.command("dlq", "redrive", "0:2").status == 0
    of_redriven = world.command("dlq", "discard", "0:2", "--yes")
    assert of_redriven.stdout.startswith("0:2: already redriven")
    rest = world.command("dlq", "discard", "--all", "--yes")
    assert rest.stdout == "0:0: discarded\n1 discarded, 0 failed\n"
    assert states(world) == {"0:0": "discarded", "0:1": "discarded", "0:2": "redriven"}
    assert world.command("dlq", "redrive", "--all").stdout == "0 redriven, 0 failed\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--all",), "without a terminal, give --yes"),
        (("0:0", "--all", "--yes"), "either ids or --all"),
        (("--yes",), "either ids or --all"),
        (("0:9", "--yes"), "no dead letter 0:9"),
    ],
)
def test_a_usage_error_discards_nothing(
    kept: CommandWorld, arguments: tuple[str, ...], error: str
) -> None:
    """With exit status 2 and one line."""
    result = kept.command("dlq", "discard", *arguments)
    assert (result.status, len(result.stderr.splitlines())) == (2, 1)
    assert error in result.stderr
    assert len(kept.dead_letters()) == 3


def test_at_a_terminal_it_asks_first(world: CommandWorld) -> None:
    """It discards them after a yes."""
    assert answered(world, b"y\n") == 0
    assert world.dead_letters() == []


@pytest.mark.parametrize(("typed", "status"), [(b"n\n", 2), (b"\n", 2), (None, 130)])
def test_any_other_answer_discards_nothing(
    kept: CommandWorld, typed: bytes | None, status: int
) -> None:
    """Ctrl-C is an answer too."""
    assert answered(kept, typed) == status
    assert len(kept.dead_letters()) == 3


def answered(world: CommandWorld, typed: bytes | None) -> int:
    """The exit status when this is typed at the question, which says how many; None is Ctrl-C."""
    ours, theirs = pty.openpty()
    command = world.command_line("dlq", "discard", "--all")
    with subprocess.Popen(
        command, cwd=ROOT, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr
        question = "Discard 3 dead letters"
        assert process.stderr.read(len(question)) == question.encode()
        process.send_signal(SIGINT) if typed is None else os.write(ours, typed)
        status = process.wait(30)
    for descriptor in (ours, theirs):
        os.close(descriptor)
    return status
