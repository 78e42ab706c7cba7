"""Dead letters that are too large for their topic, against a real broker.

Apache Kafka refuses them itself. The embedded broker has no limit, so the producer's is used.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.support.drivers.broker import KIND, Broker
from tests.support.drivers.trigger_commands import HEADERS, CommandWorld
from tests.support.drivers.trigger_process import PARTITIONS
from tests.support.servers.function_server import FunctionServer
from tests.support.waiting import eventually

LIMIT = 3000
PRODUCER = {"embedded": f"[kafka.producer]\nmessage.max.bytes = {LIMIT}", "kafka": ""}[KIND]
LARGE = json.dumps({"large": "x" * LIMIT}).encode()


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[CommandWorld]:
    """A function that rejects JSON objects, and a dead-letter topic that refuses large records."""
    dlq_topic = broker.create(config={"max.message.bytes": str(LIMIT)})
    with FunctionServer() as function:
        world = CommandWorld(broker, function, tmp_path, dlq_topic)
        function.reply = lambda request: world.reject(
            request, lambda event: isinstance(event.get("data"), dict), "large"
        )
        yield world


def test_a_dead_letter_that_is_too_large_omits_the_value_and_is_redriven(
    world: CommandWorld,
) -> None:
    """Its record is listed without its value, and shown and redriven from its own topic."""
    world.broker.write(world.topic, [LARGE], key=b"\xff", headers=HEADERS)
    world.write(range(1, 10))
    with world.trigger(PRODUCER, dead_letter_topic=world.dlq_topic) as trigger:
        eventually(lambda: world.is_committed({0: 10}))
        assert world.accepted_numbers() == list(range(1, 10))
        [logged] = trigger.log_lines("dead letter")
        assert (logged["offset"], logged["omitted"], logged["error"]) == (0, "value", "large")
        assert not trigger.log_lines("dead letter not written yet")

        [written] = world.broker.read(world.dlq_topic, 1)
        assert (written.key(), written.value()) == (b"\xff", b"")
        [listed] = world.dead_letters()
        assert (listed["offset"], listed["omitted"], listed["key"]) == (0, "value", "0xff")
        header_bytes = sum(len(name) + len(value or b"") for name, value in HEADERS)
        assert listed["bytes"] == len(LARGE) + 1 + header_bytes
        assert world.dead_letter("0:0")["value"] == {"json": json.loads(LARGE)}

        world.function.reply = world.accept
        assert world.command("dlq", "redrive", "--all").status == 0
        eventually(lambda: world.is_committed({0: 11}))
    redriven = world.broker.read(world.topic, 11)[-1]
    assert (redriven.key(), redriven.value()) == (b"\xff", LARGE)
    assert redriven.headers() == [*HEADERS, ("dlq_redrives", b"1")]
    assert world.dead_letters() == []


def test_the_limit_is_for_each_dead_letter_and_not_for_their_sum(world: CommandWorld) -> None:
    """Several that fit are complete, though together they are more than a batch may be."""
    half = json.dumps({"half": "x" * (LIMIT // 2)}).encode()
    world.broker.write(world.topic, [half] * 5)
    with world.trigger(PRODUCER, dead_letter_topic=world.dlq_topic):
        eventually(lambda: world.is_committed({0: 5}))
    assert [each.value() for each in world.broker.read(world.dlq_topic, 5)] == [half] * 5


def test_a_record_that_is_gone_is_reported_as_gone(world: CommandWorld) -> None:
    """Shown with what is left of it, and not redriven, also where another has its offset."""
    world.broker.write(world.topic, [LARGE], partition=1, key=b"k")
    with world.trigger(PRODUCER, dead_letter_topic=world.dlq_topic):
        eventually(lambda: world.is_committed({1: 1}))
    [written] = world.broker.read(world.dlq_topic, 1)
    headers = dict(cast(list[tuple[str, bytes]], written.headers())) | {"dlq_partition": b"2"}
    world.broker.write(world.dlq_topic, [b""], key=b"k", headers=list(headers.items()))
    world.write(range(1), partition=2)
    shown = world.dead_letter("0:1")
    assert "no longer there" in shown["value"]["gone"]
    assert (shown["key"], shown["bytes"]) == ("k", len(LARGE) + 1)
    dry_run = world.command("dlq", "redrive", "--all", "--dry-run")
    assert f"0:0: would go to {world.topic} 1 (it was 0)\n" in dry_run.stdout
    assert "0:1: is lost: " in dry_run.stdout
    redrive = world.command("dlq", "redrive", "--all")
    assert (redrive.status, redrive.stdout.splitlines()[-1]) == (1, "1 redriven, 1 failed")
    assert [each["id"] for each in world.dead_letters()] == ["0:1"]


def test_a_partition_with_large_records_delays_no_other(world: CommandWorld) -> None:
    """The headers and the key may be what is large."""
    headers = [("long", b"x" * LIMIT)]
    world.broker.write(world.topic, [b'{"a": 1}'], headers=headers)
    world.broker.write(world.topic, [b'{"a": 1}'], key=b"k" * LIMIT, partition=1)
    world.write(range(5), partition=2)
    with world.trigger(PRODUCER, dead_letter_topic=world.dlq_topic):
        eventually(lambda: world.is_committed(dict.fromkeys(range(PARTITIONS), 1) | {2: 5}))
    omitted = {each["partition"]: each["omitted"] for each in world.dead_letters()}
    assert omitted == {0: "value, long headers", 1: "value, headers, key"}
    assert world.command("dlq", "redrive", "--all").status == 0
    redriven = world.broker.read(world.topic, 2)[-1]
    assert redriven.headers() == [*headers, ("dlq_redrives", b"1")]
    assert world.dead_letters() == []
