"""The dead letters of AWS Lambda on their way back, on a real broker."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_trigger_commands import Commanded
from tests.support.builders.lambda_dead_letters import lambda_letter, payload_record
from tests.support.drivers.broker import Broker
from tests.support.servers.function_server import FunctionServer
from tests.support.waiting import eventually

HEADERS = [("ce_id", b"1"), ("twice", b"a"), ("twice", b"\xff")]


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[Commanded]:
    """A topic of three partitions with five records in one, and a function that takes all."""
    with FunctionServer() as function:
        world = Commanded(broker, function, tmp_path)
        world.write(range(5), partition=1)
        yield world


def without_payload(letter: bytes, **info: Any) -> bytes:
    """The letter as if its records had not fit in."""
    document = json.loads(letter)
    del document["payload"], document["KafkaBatchInfo"]["recordInfo"]
    document["KafkaBatchInfo"] |= info
    return json.dumps(document).encode()


def test_what_lambda_gave_up_is_listed_shown_and_brought_home_once(world: Commanded) -> None:
    """The record itself, to its own topic and partition, from where the trigger takes it."""
    was = payload_record(
        2, topic=world.topic, partition=1, key=b"k", value=b'{"again": 1}', headers=HEADERS
    )
    world.broker.write(world.dead_letters, [lambda_letter(was)], key=b"k")
    [letter] = world.letters()
    assert (letter["id"], letter["partition"], letter["offset"], letter["key"]) == (
        "0:0",
        1,
        2,
        "k",
    )
    assert (letter["attempts"], letter["error"]) == ("3", "RetriesExhausted: Unhandled")
    shown = json.loads(world.command("dlq", "show", "0:0", "--json").said)
    assert shown["value"] == {"json": {"again": 1}}
    assert [header["name"] for header in shown["headers"]] == ["ce_id", "twice", "twice"]

    with world.trigger(dead_letter_topic=world.dead_letters):
        eventually(lambda: len(world.taken) == 5)
        redriven = world.command("dlq", "redrive", "--all")
        assert redriven.said == f"0:0: redriven to {world.topic} 1:5\n1 redriven, 0 failed\n"
        eventually(lambda: len(world.taken) == 6)
    event = world.taken[-1]
    assert (event["kafkapartition"], event["data"]) == (1, {"again": 1})
    assert world.letters() == []
    assert world.command("dlq", "redrive", "--all").said == "0 redriven, 0 failed\n"


def test_a_record_that_the_letter_only_names_is_read_from_its_topic(world: Commanded) -> None:
    """Where it still is; one that is gone is told, and stays open."""
    letter = lambda_letter(payload_record(0, topic=world.topic))
    places = {
        f"{world.topic}-1": {"firstRecordOffset": "3", "lastRecordOffset": "4"},
        f"{world.topic}-2": {"firstRecordOffset": "0", "lastRecordOffset": "0"},
    }
    world.broker.write(world.dead_letters, [without_payload(letter, recordsInfo=places)])
    assert [each["id"] for each in world.letters()] == ["0:0", "0:0.1", "0:0.2"]
    assert json.loads(world.command("dlq", "show", "0:0.1", "--json").said)["value"] == {
        "text": "4"
    }

    redriven = world.command("dlq", "redrive", "--all")
    assert redriven.status == 1
    assert redriven.said.splitlines()[:2] == [
        f"0:0: redriven to {world.topic} 1:5",
        f"0:0.1: redriven to {world.topic} 1:6",
    ]
    assert "no longer there" in redriven.said.splitlines()[2]
    assert [each["id"] for each in world.letters()] == ["0:0.2"]
