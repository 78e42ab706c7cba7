"""The functions on Lambda, one instance of each, with their own broker beside the stack."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka.admin import AdminClient

from functions.shared.contract.topics import HIGHLIGHTS_PENDING, MATCH_EVENTS
from infra.topics import PARTITIONS, create
from local.stack.services.functions import NAMES
from local.stack.stack import Stack
from tests.support.drivers.api_gateway import ApiGateway
from tests.support.drivers.broker import Broker
from tests.support.drivers.event_source import EventSource
from tests.support.drivers.lambda_runtime import Runtime, instance


@dataclass
class Lambdas:
    """Instances by their function's name."""

    functions: Mapping[str, Runtime]
    broker: Broker

    def client(self, stage: str = "") -> httpx.Client:
        """Return a client of the REST API in front of them, or of the HTTP API of this stage."""
        gateway = ApiGateway(self.functions, stage)
        return httpx.Client(transport=gateway, base_url="https://api.example")

    @contextmanager
    def source(self, topic: str, **options: Any) -> Iterator[EventSource]:
        """Return the event source that delivers a topic to its function."""
        function = {MATCH_EVENTS: "consume_goal", HIGHLIGHTS_PENDING: "enrich_batch"}[topic]
        servers, invoke = self.broker.bootstrap_servers, self.functions[function].invoke
        with closing(EventSource(servers, topic, PARTITIONS[topic], invoke, **options)) as source:
            yield source


@contextmanager
def running_lambdas(stack: Stack, broker: Broker, logs: Path) -> Iterator[Lambdas]:
    """Run all functions, with the database and the cache of a stack."""
    create(AdminClient({"bootstrap.servers": broker.bootstrap_servers}), 1)
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "DATABASE_URL": stack.database_url,
        "REDIS_URL": stack.redis_url,
    }
    with ExitStack() as exits:
        functions = {
            name: exits.enter_context(instance(name, settings, logs / f"{name}.log"))
            for name in NAMES
        }
        yield Lambdas(functions, broker)
