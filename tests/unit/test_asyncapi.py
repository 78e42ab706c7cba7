"""The AsyncAPI document: valid, up to date, and in agreement with the topics and triggers."""

import copy
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft7Validator

import infra.asyncapi
from functions.shared.contract.topics import DEAD_LETTERS
from infra.topics import create
from local.stack import ROOT
from tests.support.asyncapi import DOCUMENT, MESSAGES, errors, topic_of
from tests.support.fakes.topics import FakeAdmin
from tests.support.schemas import closed_schemas

OFFICIAL = Draft7Validator(closed_schemas.load("asyncapi-3.0.0"))


def test_the_committed_document_is_not_stale() -> None:
    """`python -m infra.asyncapi` would change nothing, and the folder has no other document."""
    (path,) = Path(infra.asyncapi.__file__).parent.glob("*.json")
    assert path.name == "topics.json"
    assert json.loads(path.read_text(encoding="utf-8")) == DOCUMENT


def test_the_document_is_valid() -> None:
    """By AsyncAPI's own JSON schema, with Kafka's bindings."""
    assert [error.message for error in OFFICIAL.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["asyncapi"], "2.6.0"),
        (["info", "version"], None),
        (["channels", "matchEvents", "bindings", "kafka", "partitions"], "6"),
        (["channels", "matchEvents", "bindings", "kafka", "retention"], 1),
        (["operations", "consumeGoal", "action"], "subscribe"),
        (["operations", "consumeGoal", "group"], "consume-goal"),
        (["components", "messages", "matchEvent", "payload", "type"], "text"),
    ],
)
def test_a_document_that_is_not_valid_is_found(path: list[str], value: Any) -> None:
    """In each part of it."""
    broken = copy.deepcopy(DOCUMENT)
    *parents, name = path
    part = broken
    for parent in parents:
        part = part[parent]
    part[name] = value
    if path[-2:] == ["payload", "type"]:
        del part["$ref"]
    assert not OFFICIAL.is_valid(broken)


def test_every_reference_leads_somewhere() -> None:
    """And each message of a channel is sent by one operation at least, and received by one."""

    def target(reference: str) -> Any:
        part: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
        return part

    def references(part: Any) -> Iterator[str]:
        for each in part.values() if isinstance(part, dict) else part:
            if isinstance(each, dict | list):
                yield from references(each)
        if isinstance(part, dict) and "$ref" in part:
            yield part["$ref"]

    assert all(map(target, references(DOCUMENT)))
    for action in ("send", "receive"):
        handled = {
            message["$ref"]
            for operation in DOCUMENT["operations"].values()
            if operation["action"] == action
            for message in operation.get("messages")
            or target(operation["channel"]["$ref"])["messages"].values()
        }
        names = {target(each)["$ref"] if "/channels/" in each else each for each in handled}
        assert names == {f"#/components/messages/{name}" for name in MESSAGES}


def test_the_topics_are_created_as_the_document_says() -> None:
    """With their partitions, replicas and retention."""
    admin = FakeAdmin()
    create(cast(Any, admin), replication=1)
    documented = {
        each["address"]: each["bindings"]["kafka"] for each in DOCUMENT["channels"].values()
    }
    assert documented.keys() == admin.created.keys()
    for name, topic in admin.created.items():
        binding = documented[name]
        assert binding["topic"] == name
        assert binding["partitions"] == topic.num_partitions
        assert binding["replicas"] == topic.replication_factor
        assert {key: str(value) for key, value in binding["topicConfiguration"].items()} == (
            topic.config
        )


def test_the_consumer_groups_are_those_of_the_triggers() -> None:
    """Each reads the topic that the document says, and writes dead letters to the other."""
    triggers = tomllib.loads((ROOT / "local" / "triggers.toml").read_text())["trigger"]
    documented = {
        (operation["bindings"]["kafka"]["groupId"]["enum"][0], topic_of(name))
        for name, operation in DOCUMENT["operations"].items()
        if "bindings" in operation
    }
    assert documented == {(each["group"], each["topic"]) for each in triggers}
    written = topic_of("writeDeadLetter")
    assert {each.get("dead_letter_topic", DEAD_LETTERS) for each in triggers} == {written}


@pytest.mark.parametrize("name", MESSAGES)
def test_every_example_is_valid(name: str) -> None:
    """By the schema of its message; AWS documents its own."""
    message = MESSAGES[name]
    assert name == "lambdaDeadLetter" or message["examples"]
    for example in message.get("examples", []):
        assert errors(message["headers"], example["headers"]) == []
        assert errors(message["payload"], example["payload"]) == []
