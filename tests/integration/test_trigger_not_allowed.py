"""A trigger without the right to read its topic, or to write dead letters, on Apache Kafka."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from tests.support.drivers.broker import KIND, QUIET, Broker
from tests.support.drivers.trigger_process import World
from tests.support.servers.function_server import FunctionServer, Reply
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(KIND == "embedded", reason="the embedded broker forbids nothing")
ANSWERS_WITHIN_S = 10


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[World]:
    """A topic and a function that accepts all."""
    with FunctionServer() as function:
        yield World(broker, function, tmp_path)


@contextmanager
def forbidden(broker: Broker, topic: str, operation: AclOperation) -> Iterator[None]:
    """Deny an operation on a topic, until the end of `with`."""
    resource = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL)
    rules = [
        (*resource, "User:*", "*", each, permission)
        for each, permission in (
            (AclOperation.ALL, AclPermissionType.ALLOW),
            (operation, AclPermissionType.DENY),
        )
    ]
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers, **QUIET})
    for made in admin.create_acls([AclBinding(*rule) for rule in rules]).values():
        made.result(ANSWERS_WITHIN_S)
    try:
        yield
    finally:
        for gone in admin.delete_acls([AclBindingFilter(*rules[1])]).values():
            gone.result(ANSWERS_WITHIN_S)


def test_a_dead_letter_without_the_right_to_write_it_blocks_until_granted(world: World) -> None:
    """Then its partition goes on by itself."""
    world.function.reply = lambda _: Reply(400)
    dead_letters = world.broker.create()
    probes = world.serve_probes()
    with world.trigger(dead_letter_topic=dead_letters) as trigger:
        trigger.wait_until_assigned()
        with forbidden(world.broker, dead_letters, AclOperation.WRITE):
            world.write(range(1))
            eventually(lambda: "authorization failed" in probes.blocked().get("0", ""))
            assert not probes.is_ready()
        eventually(lambda: world.is_committed({0: 1}))
        assert probes.is_ready()


@pytest.mark.parametrize("operation", [AclOperation.READ, AclOperation.DESCRIBE])
def test_a_topic_without_the_right_to_read_it_blocks_until_granted(
    world: World, operation: AclOperation
) -> None:
    """While records wait in it, and while there is nothing to read."""
    world.write(range(1))
    probes = world.serve_probes()
    with world.trigger() as trigger:
        with forbidden(world.broker, world.topic, operation):
            trigger.wait_until_started()
            eventually(lambda: bool(probes.blocked()))
            assert "authorization failed" in str(probes.blocked())
            assert not probes.is_ready()
        eventually(lambda: world.is_committed({0: 1}))
        eventually(probes.is_ready)
        with forbidden(world.broker, world.topic, operation):
            eventually(lambda: bool(probes.blocked()))
        eventually(probes.is_ready)
