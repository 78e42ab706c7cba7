"""`dlq list`, `show` and `redrive`, against a real broker and a small function."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import ROOT
from tests.support.drivers.broker import Broker
from tests.support.drivers.trigger_commands import HEADERS, CommandWorld
from tests.support.servers.function_server import FunctionServer, Reply
from tests.support.waiting import eventually


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[CommandWorld]:
    """A topic, and a function that rejects what is no JSON."""
    with FunctionServer() as function:
        world = CommandWorld(broker, function, tmp_path)
        function.reply = world.reject_poison
        yield world


def test_a_poison_record_becomes_a_dead_letter_and_is_redriven_once(world: CommandWorld) -> None:
    """Of 1,000 records 999 are accepted; the last one is once the function is fixed."""
    world.write(range(500))
    world.broker.write(world.topic, [b"poison"], key=b"\xff", headers=HEADERS)
    world.write(range(501, 1000))
    with world.trigger(dead_letter_topic=world.dlq_topic):
        eventually(lambda: world.is_committed({0: 1000}))
        assert world.accepted_numbers() == [*range(500), *range(501, 1000)]
        [listed] = world.dead_letters()
        assert (listed["id"], listed["offset"], listed["key"]) == ("0:0", 500, "0xff")
        assert (listed["status"], listed["error"], listed["state"]) == ("200", "poison", "open")

        assert world.command("dlq", "redrive", "--all", "--dry-run").status == 0
        assert len(world.dead_letters()) == 1
        world.function.reply = world.accept
        redrive = world.command("dlq", "redrive", "--all")
        assert (redrive.status, redrive.stdout.splitlines()) == (
            0,
            [f"0:0: redriven to {world.topic} 0:1000", "1 redriven, 0 failed"],
        )
        eventually(lambda: len(world.accepted) == 1000)
        assert world.accepted[-1]["data_base64"] == "cG9pc29u"

        assert world.dead_letters() == []
        assert world.dead_letters("--redriven")[0]["state"] == "redriven"
        for which in ("--all", "0:0"):
            again = world.command("dlq", "redrive", which)
            assert again.stdout.endswith("0 redriven, 0 failed\n")
        eventually(lambda: world.is_committed({0: 1001}))
    redriven = world.broker.read(world.topic, 1001)[-1]
    assert (redriven.key(), redriven.value()) == (b"\xff", b"poison")
    assert redriven.headers() == [*HEADERS, ("dlq_redrives", b"1")]


def test_a_redriven_record_that_fails_again_is_a_new_dead_letter(world: CommandWorld) -> None:
    """It is listed with how often it was redriven, and the old one is not."""
    world.broker.write(world.topic, [b"poison"])
    with world.trigger(dead_letter_topic=world.dlq_topic):
        eventually(lambda: world.is_committed({0: 1}))
        assert world.command("dlq", "redrive", "0:0").status == 0
        eventually(lambda: world.is_committed({0: 2}))
    [listed] = world.dead_letters()
    assert (listed["offset"], listed["redrives"]) == (1, 1)


def test_a_dead_letter_is_shown_with_all_headers_and_its_value(world: CommandWorld) -> None:
    """An unknown ID is reported in one line."""
    world.function.reply = lambda _: Reply(422, b"no event")
    world.broker.write(world.topic, [b'{"a": [1]}'], key=b"k", headers=HEADERS)
    with world.trigger(dead_letter_topic=world.dlq_topic):
        eventually(lambda: world.is_committed({0: 1}))
    shown = world.dead_letter("0:0")
    assert shown["value"] == {"json": {"a": [1]}}
    assert shown["headers"][:4] == [
        {"name": "ce_id", "text": "1"},
        {"name": "twice", "text": "a"},
        {"name": "twice", "hex": "ff"},
        {"name": "null", "json": None},
    ]
    assert "dlq_error: HTTP 422: no event" in world.command("dlq", "show", "0:0").stdout
    unknown = world.command("dlq", "show", "0:9")
    assert (unknown.status, unknown.stderr) == (2, "dlq: no dead letter 0:9: see `dlq list`\n")


def test_a_redrive_continues_though_nobody_reads_its_output(world: CommandWorld) -> None:
    """As after `| head`; even if its producer's queue is small."""
    world.broker.write(world.topic, [b"poison"] * 300)
    with world.trigger(dead_letter_topic=world.dlq_topic):
        eventually(lambda: world.is_committed({0: 300}))
    producer = "[kafka.producer]\nqueue.buffering.max.messages = 10\n[[trigger]]"
    world.file.write_text(world.file.read_text().replace("[[trigger]]", producer))
    command = world.command_line("dlq", "redrive", "--all")
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.close()
        assert process.wait(60) == 0
    assert world.dead_letters() == []


def test_dead_letters_in_another_cluster_are_a_usage_error(world: CommandWorld) -> None:
    """They cannot be redriven from there."""
    producer = '[kafka.producer]\nbootstrap.servers = "127.0.0.1:1"\n[[trigger]]'
    world.file.write_text(world.file.read_text().replace("[[trigger]]", producer))
    result = world.command("dlq", "list")
    assert (result.status, len(result.stderr.splitlines())) == (2, 1)
    assert "dead letters are in another cluster" in result.stderr
