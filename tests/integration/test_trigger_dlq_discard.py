"""Dead letters that nobody needs any more, against a real broker."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from signal import SIGINT

import pytest

from local.stack import ROOT
from tests.integration.test_trigger_commands import Commanded
from tests.support.drivers.broker import Broker
from tests.support.servers.function_server import FunctionServer
from tests.support.waiting import eventually


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[Commanded]:
    """Three dead letters of a trigger that runs no more."""
    with FunctionServer() as function:
        world = Commanded(broker, function, tmp_path)
        function.reply = world.refuse_poison
        broker.write(world.topic, [b"a", b"b", b"c"])
        with world.trigger(dead_letter_topic=world.dead_letters):
            eventually(lambda: world.is_committed({0: 3}))
        yield world


def states(world: Commanded) -> dict[str, str]:
    """What became of each letter."""
    return {each["id"]: each["state"] for each in world.letters("--redriven", "--discarded")}


def test_a_letter_that_is_discarded_is_listed_and_redriven_no_more(world: Commanded) -> None:
    """It is there to be shown, and to discard it again changes nothing."""
    dry = world.command("dlq", "discard", "0:1", "--dry-run")
    assert dry.said.splitlines() == ["0:1: would be discarded", "1 to discard; nothing was written"]
    assert len(world.letters()) == 3

    discarded = world.command("dlq", "discard", "0:1", "--yes")
    assert (discarded.status, discarded.said) == (0, "0:1: discarded\n1 discarded, 0 failed\n")
    assert [each["id"] for each in world.letters()] == ["0:0", "0:2"]
    assert [each["id"] for each in world.letters("--redriven")] == ["0:0", "0:2"]
    assert "state: discarded" in world.command("dlq", "show", "0:1").said

    written = world.broker.read(world.dead_letters, 4)
    for action in (("redrive",), ("discard", "--yes"), ("discard",)):
        again = world.command("dlq", *action, "0:1")
        assert (again.status, again.said.splitlines()[0]) == (0, "0:1: discarded before")
    assert len(world.broker.read(world.dead_letters, len(written))) == len(written) == 4

    assert world.command("dlq", "redrive", "0:2").status == 0
    assert world.command("dlq", "discard", "0:2", "--yes").said.startswith("0:2: redriven before")
    rest = world.command("dlq", "discard", "--all", "--yes")
    assert rest.said.splitlines() == ["0:0: discarded", "1 discarded, 0 failed"]
    assert states(world) == {"0:0": "discarded", "0:1": "discarded", "0:2": "redriven"}
    assert world.command("dlq", "redrive", "--all").said == "0 redriven, 0 failed\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--all",), "without a terminal, say --yes"),
        (("0:0", "--all", "--yes"), "either ids or --all"),
        (("--yes",), "either ids or --all"),
        (("0:9", "--yes"), "no dead letter 0:9"),
    ],
)
def test_what_is_not_clear_discards_nothing(
    world: Commanded, arguments: tuple[str, ...], said: str
) -> None:
    """With exit status 2 and a line."""
    ended = world.command("dlq", "discard", *arguments)
    assert (ended.status, len(ended.complaint.splitlines())) == (2, 1)
    assert said in ended.complaint
    assert len(world.letters()) == 3


@pytest.mark.parametrize(
    ("typed", "status", "left"), [(b"y\n", 0, 0), (b"n\n", 2, 3), (b"\n", 2, 3), (None, 130, 3)]
)
def test_at_a_terminal_it_asks_first(
    world: Commanded, typed: bytes | None, status: int, left: int
) -> None:
    """It says how many; Ctrl-C is an answer too."""
    mine, its = pty.openpty()
    command = [sys.executable, "-m", "local.kafka_trigger", "dlq", str(world.file), "discard"]
    with subprocess.Popen(
        [*command, "--all"], cwd=ROOT, stdin=its, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr
        asked = process.stderr.read(len("Discard 3"))
        assert asked == b"Discard 3"
        process.send_signal(SIGINT) if typed is None else os.write(mine, typed)
        assert process.wait(30) == status
    for end in (mine, its):
        os.close(end)
    assert len(world.letters()) == left
