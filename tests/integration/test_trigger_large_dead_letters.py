"""Dead letters that are too large for their topic, on a real broker.

Apache Kafka refuses them itself. The embedded broker has no limit: the producer's stands for it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.integration.test_trigger_commands import HEADERS, Commanded
from tests.support.drivers.broker import KIND, Broker
from tests.support.drivers.trigger_process import PARTITIONS
from tests.support.servers.function_server import FunctionServer, Reply, Request
from tests.support.waiting import eventually

LIMIT = 3000
PRODUCER = {"embedded": f"[kafka.producer]\nmessage.max.bytes = {LIMIT}", "kafka": ""}[KIND]
LARGE = json.dumps({"large": "x" * LIMIT}).encode()


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[Commanded]:
    """A function that refuses what is large, and a dead-letter topic that does so too."""
    with FunctionServer() as function:
        world = Commanded(broker, function, tmp_path)
        world.dead_letters = broker.create(config={"max.message.bytes": str(LIMIT)})
        configuration = world.configuration("", {"dead_letter_topic": world.dead_letters})
        world.file.write_text(configuration)
        function.reply = lambda request: refuse_large(world, request)
        yield world


def refuse_large(world: Commanded, request: Request) -> Reply:
    """Refuse large records by name, and take the others."""
    events = json.loads(request.body)
    large = [each for each in events if isinstance(each.get("data"), dict)]
    world.taken += [each for each in events if each not in large]
    failures = [
        {
            "itemIdentifier": f"{world.topic}-{each['kafkapartition']}-{each['kafkaoffset']}",
            "retryable": False,
            "reason": "large",
        }
        for each in large
    ]
    return Reply(200, json.dumps({"batchItemFailures": failures}).encode())


def shown(world: Commanded, letter: str) -> dict[str, Any]:
    """What `dlq show` says of a letter."""
    document: dict[str, Any] = json.loads(world.command("dlq", "show", letter, "--json").said)
    return document


def test_a_letter_that_is_too_large_holds_nothing_and_comes_home(world: Commanded) -> None:
    """Its record is listed without its value, shown from its place, and brought home from there."""
    world.broker.write(world.topic, [LARGE], key=b"\xff", headers=HEADERS)
    world.write(range(1, 10))
    with world.trigger(PRODUCER, dead_letter_topic=world.dead_letters) as trigger:
        eventually(lambda: world.is_committed({0: 10}))
        assert world.numbers() == list(range(1, 10))
        [told] = trigger.said("dead letter")
        assert (told["offset"], told["omitted"], told["error"]) == (0, "value", "large")
        assert not trigger.said("dead letter not written yet")

        [written] = world.broker.read(world.dead_letters, 1)
        assert (written.key(), written.value()) == (b"\xff", b"")
        [letter] = world.letters()
        assert (letter["offset"], letter["omitted"], letter["key"]) == (0, "value", "0xff")
        own = sum(len(name) + len(value or b"") for name, value in HEADERS)
        assert letter["bytes"] == len(LARGE) + 1 + own
        assert shown(world, "0:0")["value"] == {"json": json.loads(LARGE)}

        world.function.reply = world.take
        assert world.command("dlq", "redrive", "--all").status == 0
        eventually(lambda: world.is_committed({0: 11}))
    home = world.broker.read(world.topic, 11)[-1]
    assert (home.key(), home.value()) == (b"\xff", LARGE)
    assert home.headers() == [*HEADERS, ("dlq_redrives", b"1")]
    assert world.letters() == []


def test_letters_are_too_large_each_by_itself(world: Commanded) -> None:
    """Several that fit are whole, though all of them together are more than the topic takes."""
    half = json.dumps({"half": "x" * (LIMIT // 2)}).encode()
    world.broker.write(world.topic, [half] * 5)
    with world.trigger(PRODUCER, dead_letter_topic=world.dead_letters):
        eventually(lambda: world.is_committed({0: 5}))
    assert [each.value() for each in world.broker.read(world.dead_letters, 5)] == [half] * 5


def test_a_record_that_is_gone_is_said_to_be_gone(world: Commanded) -> None:
    """Shown with what is left of it, and not redriven, also where another is in its place."""
    world.broker.write(world.topic, [LARGE], partition=1, key=b"k")
    with world.trigger(PRODUCER, dead_letter_topic=world.dead_letters):
        eventually(lambda: world.is_committed({1: 1}))
    [letter] = world.broker.read(world.dead_letters, 1)
    headers = dict(cast(list[tuple[str, bytes]], letter.headers())) | {"dlq_partition": b"2"}
    world.broker.write(world.dead_letters, [b""], key=b"k", headers=list(headers.items()))
    world.write(range(1), partition=2)
    gone = shown(world, "0:1")
    assert "no longer there" in gone["value"]["gone"]
    assert (gone["key"], gone["bytes"]) == ("k", len(LARGE) + 1)
    dry = world.command("dlq", "redrive", "--all", "--dry-run")
    assert f"0:0: would go to {world.topic} 1 (it was 0)\n" in dry.said
    assert "0:1: is lost: " in dry.said
    redriven = world.command("dlq", "redrive", "--all")
    assert (redriven.status, redriven.said.splitlines()[-1]) == (1, "1 redriven, 1 failed")
    assert [each["id"] for each in world.letters()] == ["0:1"]


def test_a_partition_whose_letters_are_large_keeps_no_other_waiting(world: Commanded) -> None:
    """Headers and keys may be what is large."""
    headers = [("long", b"x" * LIMIT)]
    world.broker.write(world.topic, [b'{"a": 1}'], headers=headers)
    world.broker.write(world.topic, [b'{"a": 1}'], key=b"k" * LIMIT, partition=1)
    world.write(range(5), partition=2)
    with world.trigger(PRODUCER, dead_letter_topic=world.dead_letters):
        eventually(lambda: world.is_committed(dict.fromkeys(range(PARTITIONS), 1) | {2: 5}))
    omitted = {each["partition"]: each["omitted"] for each in world.letters()}
    assert omitted == {0: "value, long headers", 1: "value, headers, key"}
    assert world.command("dlq", "redrive", "--all").status == 0
    home = [world.broker.read(world.topic, 2)[-1].headers(), world.letters()]
    assert home == [[*headers, ("dlq_redrives", b"1")], []]
