"""The Kafka trigger's commands, on Apache Kafka."""

import json
from typing import Any

from tests.support.drivers.containers import Containers
from tests.support.tournament import replay_2022
from tests.support.waiting import eventually

GARBAGE = """
import os
from confluent_kafka import Producer
producer = Producer({"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"]})
producer.produce("match-events", b"goal!", "no match")
producer.flush()
"""


def command_json(containers: Containers, command: str, *arguments: str) -> Any:
    """Run a command of the trigger; return its JSON output."""
    module = ("python", "-m", "local.kafka_trigger", command, "local/triggers.toml")
    return json.loads(containers.run_in("kafka-trigger", *module, *arguments, "--json"))


def dead_letters(containers: Containers) -> list[Any]:
    """Return the open dead letters."""
    found: list[Any] = command_json(containers, "dlq", "list", "--trigger", "consume-goal")[
        "deadLetters"
    ]
    return found


def test_a_record_that_is_no_event_is_listed_among_the_dead_letters(
    containers: Containers,
) -> None:
    """With its value and the reason; the partitions continue."""
    before = len(dead_letters(containers))
    containers.run_in("kafka-trigger", "python", "-c", GARBAGE)
    assert replay_2022(containers).missing == {}
    eventually(lambda: len(dead_letters(containers)) == before + 1)


def test_status_shows_no_lag_when_all_is_delivered(containers: Containers) -> None:
    """After a tournament no partition that has been read has a lag."""
    replay_2022(containers)

    def lags() -> list[int]:
        return [each["lag"] for each in command_json(containers, "status")["partitions"]]

    eventually(lambda: set(lags()) == {0})
    assert len(lags()) == 12
