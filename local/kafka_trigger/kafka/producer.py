"""The trigger's producer, which replaces a client that failed."""

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

RENEW_AFTER_S = 2.5  # a quarter of a record's timeout: so there are few at a time


class RecordProducer(Protocol):
    """The methods of a producer that dead letters need."""

    def __len__(self) -> int:
        """Return the number of records whose delivery is not reported yet."""

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
        """Write a record; the result is reported later, within `poll` or `flush`."""

    def poll(self, timeout: float) -> int:
        """Report the results of records, waiting for one up to `timeout` seconds."""

    def flush(self) -> int:
        """Report the results of all records."""

    def list_topics(self, *, timeout: float) -> Any:
        """Return the cluster's metadata; raises KafkaException after `timeout` seconds without."""


class ResilientProducer:
    """A `confluent_kafka.Producer` that survives fatal errors; threads may share it.

    A client that was replaced is polled until it has reported all of its records. A record that it
    reports as failed may have been written all the same; written again, it is a duplicate.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        make_client: Callable[[dict[str, Any]], Producer] = Producer,
        renew_after_s: float = RENEW_AFTER_S,
    ) -> None:
        self._settings = dict(settings)
        self._draining: list[Producer] = []
        # No client is retired between `get` and `produce`: a record goes to one that is polled.
        self._producing = Lock()
        self._renewable = RenewableProducer(
            lambda: make_client(self._settings),
            retire=self._draining.append,
            renew_after_s=renew_after_s,
        )

    def __len__(self) -> int:
        """Return the number of records whose delivery is not reported yet."""
        return sum(map(len, self._all()))

    def produce(self, topic: str, *, on_delivery: OnDelivery | None = None, **more: Any) -> None:
        """Write a record; the result is reported later, within `poll` or `flush`."""
        with self._producing:
            producer = self._renewable.get()
            reported = partial(self._reported, producer, on_delivery)
            try:
                producer.produce(topic, on_delivery=reported, **more)
            except KafkaException:
                self._renewable.failed(producer)
                raise

    def poll(self, timeout: float) -> int:
        """Report the results of records; wait up to `timeout` seconds for the current client's."""
        reported = sum(self._poll(each, 0) for each in self._draining)
        for each in [each for each in self._draining if not len(each)]:
            with suppress(ValueError):  # another thread has removed it
                self._draining.remove(each)
        return reported + self._poll(self._renewable.current, timeout)

    def _poll(self, producer: Producer, timeout: float) -> int:
        try:
            return producer.poll(timeout)
        except KafkaException:  # a fatal error is raised here; the next poll reports its records
            self._renewable.failed(producer)
            return 0

    def flush(self) -> int:
        """Report the results of all records; returns how many are left, which is 0."""
        while len(self):
            self.poll(FLUSH_POLL_S)
        return 0

    def list_topics(self, *, timeout: float) -> Any:
        """Return the cluster's metadata."""
        return self._renewable.current.list_topics(timeout=timeout)

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Log in as this user from now on, also with later clients."""
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
