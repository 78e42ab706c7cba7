"""The trigger's producer: one that failed is replaced, and nobody who uses it need know."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from functions.shared.kafka.renewable_producer import RenewableProducer

OnDelivery = Callable[[KafkaError | None, Message], None]
Headers = list[tuple[str, str | bytes | None]]

ANY_PARTITION = -1
FLUSH_POLL_S = 0.1

RENEW_AFTER_S = 2.5  # a quarter of the time that a record has: so few are there at a time


class RecordProducer(Protocol):
    """What dead letters need of a producer."""

    def __len__(self) -> int:
        """Count the records that are not reported yet."""

    def produce(
        self,
        topic: str,
        *,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int = ANY_PARTITION,
        headers: Headers | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        """Begin to write a record."""

    def poll(self, timeout: float) -> int:
        """Report the ends of records."""

    def flush(self) -> int:
        """Report the ends of all records."""

    def list_topics(self, *, timeout: float) -> Any:
        """The cluster's metadata; raises KafkaException if it is not had in time, in seconds."""


class ResilientProducer:
    """A `confluent_kafka.Producer` that goes on after any error; threads may share it.

    Records of one that was replaced end with their own reports, whoever polls. A letter that it
    wrote after all, and that is written again, is there twice.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        make: Callable[[dict[str, Any]], Producer] = Producer,
        renew_after_s: float = RENEW_AFTER_S,
    ) -> None:
        self._settings = dict(settings)
        self._draining: list[Producer] = []
        # A record goes to a producer that is still polled: none is retired between the two steps.
        self._producing = Lock()
        self._renewable = RenewableProducer(
            lambda: make(self._settings),
            retire=self._draining.append,
            renew_after_s=renew_after_s,
        )

    def __len__(self) -> int:
        """Count the records that are not reported yet."""
        return sum(map(len, self._all()))

    def produce(self, topic: str, *, on_delivery: OnDelivery | None = None, **more: Any) -> None:
        """Begin to write a record."""
        with self._producing:
            producer = self._renewable.get()
            reported = partial(self._reported, producer, on_delivery)
            try:
                producer.produce(topic, on_delivery=reported, **more)
            except KafkaException:
                self._renewable.failed(producer)
                raise

    def poll(self, timeout: float) -> int:
        """Report the ends of records, and wait `timeout` seconds for those of the present one."""
        reported = sum(self._poll(each, 0) for each in self._draining)
        for each in [each for each in self._draining if not len(each)]:
            with suppress(ValueError):  # another thread was faster
                self._draining.remove(each)
        return reported + self._poll(self._renewable.current, timeout)

    def _poll(self, producer: Producer, timeout: float) -> int:
        try:
            return producer.poll(timeout)
        except KafkaException:  # a fatal error is raised here, and its records are reported next
            self._renewable.failed(producer)
            return 0

    def flush(self) -> int:
        """Report the ends of all records; returns how many have none, which is 0."""
        while len(self):
            self.poll(FLUSH_POLL_S)
        return 0

    def list_topics(self, *, timeout: float) -> Any:
        """The cluster's metadata."""
        return self._renewable.current.list_topics(timeout=timeout)

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Sign in as this user from now on, also after the next replacement."""
        self._settings |= {"sasl.username": username, "sasl.password": password}
        for each in self._all():
            each.set_sasl_credentials(username, password)

    def _all(self) -> list[Producer]:
        return [*self._draining, self._renewable.current]

    def _reported(
        self,
        producer: Producer,
        on_delivery: OnDelivery | None,
        error: KafkaError | None,
        message: Message,
    ) -> None:
        if error is not None:
            self._renewable.failed(producer)
        if on_delivery is not None:
            on_delivery(error, message)
