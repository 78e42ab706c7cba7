"""The producer of an event loop, and replaced ones that still have records to report."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from confluent_kafka import KafkaException, Producer

from functions.shared.kafka.renewable_producer import RENEW_AFTER_S, RenewableProducer

# How often a producer may be replaced within its records' deadline: bounds how many there are.
RENEWALS = 4
# Records fail at their deadline, which librdkafka checks every second.
DRAIN_GRACE_S = 2.0


@dataclass(slots=True)
class DrainingProducer:
    """A replaced producer until all of its records are reported; they are purged at `deadline`."""

    producer: Producer | None
    deadline: float

    def is_drained(self, now: float) -> bool:
        """Serve its callbacks; return whether none are left."""
        if self.producer is None:
            return True
        if now >= self.deadline:
            self.producer.purge(blocking=False)
        with suppress(KafkaException):  # a fatal error, of one that is not used any more
            self.producer.poll(0)
        return len(self.producer) == 0

    def release(self) -> None:
        """Drop the last reference to it, which blocks until its own threads have ended."""
        self.producer = None


class Producers:
    """The producer in use, and those that drain; they are polled by the event loop alone.

    A replaced producer goes on sending until its records are acknowledged or their deadline passes,
    while new records go through the new one. So the records of a match may change places on the
    topic, and one whose sender gave up and sent it again may be there twice. Neither does harm:
    consumers go by the revisions of an event, in whatever order.
    """

    def __init__(self, connect: Callable[[], Producer], deadline_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._drain_timeout_s = deadline_s + DRAIN_GRACE_S
        self._draining: list[DrainingProducer] = []
        self._renewable = RenewableProducer(
            connect,
            retire=self._retire,
            renew_after_s=max(RENEW_AFTER_S, deadline_s / RENEWALS),
            clock=self._loop.time,
        )

    def get(self) -> Producer:
        """Return the producer to produce with."""
        return self._renewable.get()

    def failed(self, producer: Producer) -> bool:
        """Record that a delivery failed; return whether its producer is still in use."""
        return self._renewable.failed(producer)

    def poll(self) -> None:
        """Serve the callbacks of all, and release those that are drained.

        One that has failed is replaced at once if it may be, so that the new one connects early.
        """
        producer = self._renewable.current
        try:
            producer.poll(0)
        except KafkaException:  # a fatal error, which the client logs
            self._renewable.failed(producer)
        if self._draining:
            self._drain()
        self._renewable.get()

    def set_sasl_credentials(self, username: str, password: str) -> None:
        """Have all of them log in as this user from now on."""
        for producer in self:
            producer.set_sasl_credentials(username, password)

    def __iter__(self) -> Iterator[Producer]:
        """All of them, the one in use first."""
        yield self._renewable.current
        yield from (each.producer for each in self._draining if each.producer)

    def __bool__(self) -> bool:
        """Whether any has records to report."""
        return bool(self._draining) or len(self._renewable.current) > 0

    def _retire(self, producer: Producer) -> None:
        deadline = self._loop.time() + self._drain_timeout_s
        self._draining.append(DrainingProducer(producer, deadline))

    def _drain(self) -> None:
        now = self._loop.time()
        left = []
        for each in self._draining:
            if each.is_drained(now):
                self._loop.run_in_executor(None, each.release)
            else:
                left.append(each)
        self._draining = left
