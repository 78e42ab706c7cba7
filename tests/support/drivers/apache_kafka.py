"""Apache Kafka in a container, in place of the embedded broker."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.drivers.broker import Broker
from tests.support.drivers.containers import Containers
from tests.support.waiting import eventually

NAME = "goalstream-kafka"
OVERLAY = "tests/support/drivers/apache_kafka.yml"
SERVICE = "kafka"
UP_WITHIN_S = 120


@contextmanager
def running_kafka(port: int) -> Iterator["ApacheKafka"]:
    """Run the Kafka service of docker-compose.yml alone on a port of 127.0.0.1; its log is on disk.

    In the end the container and its volume are removed.
    """
    containers = Containers(f"{NAME}-{port}", {"KAFKA_TEST_PORT": str(port)}, OVERLAY)
    try:
        containers.compose("up", "--detach", SERVICE)
        broker = ApacheKafka(f"127.0.0.1:{port}", containers)
        eventually(broker.is_up, UP_WITHIN_S)
        yield broker
    finally:
        containers.down()


class ApacheKafka(Broker):
    """A broker that can be restarted without losing records."""

    hangs_on_a_kill_while_joining = False

    def __init__(self, bootstrap_servers: str, containers: Containers) -> None:
        # A record that is sent again since the broker was away takes no second offset.
        super().__init__(bootstrap_servers, {"enable.idempotence": True})
        self._callbacks: list[Callable[[], None]] = []
        self._containers = containers
        self._restarting = threading.Lock()

    @contextmanager
    def before_restart(self, callback: Callable[[], None]) -> Iterator[None]:
        """Register a callback that is called before each restart."""
        self._callbacks.append(callback)
        try:
            yield
        finally:
            self._callbacks.remove(callback)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause its container during the block."""
        container = self._containers.id(SERVICE)
        self._containers.docker("pause", container)
        try:
            yield
        finally:
            self._containers.docker("unpause", container)

    def empty(self) -> None:
        """Replace its container and its volume by empty ones."""
        with self._restarting:
            for callback in self._callbacks:
                callback()
            self._containers.docker("kill", self._containers.id(SERVICE))
            self._containers.down()
            self._containers.compose("up", "--detach", SERVICE)
            eventually(self.is_up, UP_WITHIN_S)

    def restart(self) -> None:
        """Kill it with SIGKILL, and start it again.

        One that ends in good order may tell its clients, before it goes, of a cluster without a
        broker; librdkafka 2.16 then may never look for one again (see `known_brokers`).
        """
        with self._restarting:
            for callback in self._callbacks:
                callback()
            self._containers.kill(SERVICE)
            eventually(self.is_up, UP_WITHIN_S)
