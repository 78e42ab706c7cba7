"""`dlq` with the dead letters of AWS Lambda, against a real broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders.lambda_dead_letters import (
    lambda_dead_letter,
    payload_record,
    without_payload,
)
from tests.support.drivers.broker import Broker
from tests.support.drivers.trigger_commands import CommandWorld
from tests.support.servers.function_server import FunctionServer
from tests.support.waiting import eventually

HEADERS = [("ce_id", b"1"), ("twice", b"a"), ("twice", b"\xff")]


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[CommandWorld]:
    """A topic of three partitions with five records in one, and a function that takes all."""
    with FunctionServer() as function:
        world = CommandWorld(broker, function, tmp_path)
        world.write(range(5), partition=1)
        yield world


def test_a_dead_letter_of_lambda_is_listed_shown_and_redriven_once(world: CommandWorld) -> None:
    """The original record is written to its topic and partition, and the trigger delivers it."""
    original = payload_record(
        2, topic=world.topic, partition=1, key=b"k", value=b'{"again": 1}', headers=HEADERS
    )
    world.broker.write(world.dlq_topic, [lambda_dead_letter(original)], key=b"k")
    [listed] = world.dead_letters()
    assert (listed["id"], listed["key"]) == ("0:0", "k")
    assert (listed["partition"], listed["offset"]) == (1, 2)
    assert (listed["attempts"], listed["error"]) == ("3", "RetriesExhausted: Unhandled")
    shown = world.dead_letter("0:0")
    assert shown["value"] == {"json": {"again": 1}}
    assert [header["name"] for header in shown["headers"]] == ["ce_id", "twice", "twice"]

    with world.trigger(dead_letter_topic=world.dlq_topic):
        eventually(lambda: len(world.accepted) == 5)
        redrive = world.command("dlq", "redrive", "--all")
        assert redrive.stdout == f"0:0: redriven to {world.topic} 1:5\n1 redriven, 0 failed\n"
        eventually(lambda: len(world.accepted) == 6)
    event = world.accepted[-1]
    assert (event["kafkapartition"], event["data"]) == (1, {"again": 1})
    assert world.dead_letters() == []
    assert world.command("dlq", "redrive", "--all").stdout == "0 redriven, 0 failed\n"


def test_a_record_that_is_only_named_is_read_from_its_topic(world: CommandWorld) -> None:
    """A deleted record fails with that reason, and its dead letter stays open."""
    offsets = {
        f"{world.topic}-1": {"firstRecordOffset": "3", "lastRecordOffset": "4"},
        f"{world.topic}-2": {"firstRecordOffset": "0", "lastRecordOffset": "0"},
    }
    dead_letter = lambda_dead_letter(payload_record(0, topic=world.topic))
    world.broker.write(world.dlq_topic, [without_payload(dead_letter, recordsInfo=offsets)])
    assert [each["id"] for each in world.dead_letters()] == ["0:0", "0:0.1", "0:0.2"]
    assert world.dead_letter("0:0.1")["value"] == {"text": "4"}

    redrive = world.command("dlq", "redrive", "--all")
    assert redrive.status == 1
    first, second, third, _ = redrive.stdout.splitlines()
    assert first == f"0:0: redriven to {world.topic} 1:5"
    assert second == f"0:0.1: redriven to {world.topic} 1:6"
    assert "no longer there" in third
    assert [each["id"] for each in world.dead_letters()] == ["0:0.2"]
