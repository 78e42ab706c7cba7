"""The producer of an event loop, and those that it replaced while their records are under way."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from confluent_kafka import KafkaException, Producer

from functions.shared.kafka.renewable_producer import RENEW_AFTER_S, RenewableProducer

# A producer is replaced as often as this within its records' deadline, at most: so few are there.
RENEWALS = 4
# Records end at their deadline, which librdkafka looks at every second.
DRAIN_GRACE_S = 2.0


@dataclass(slots=True)
class Draining:
    """A replaced producer, until it has nothing left to report; at `until` the rest is given up."""

    producer: Producer | None
    until: float

    def is_drained(self, now: float) -> bool:
        """Serve its callbacks; returns whether there are none to come."""
        if self.producer is None:
            return True
        if now >= self.until:
            self.producer.purge(blocking=False)
        with suppress(KafkaException):  # a fatal error, of one that is not used any more
            self.producer.poll(0)
        return len(self.producer) == 0

    def let_go(self) -> None:
        """Drop the last reference to it, and so wait until its own threads have ended."""
        self.producer = None


class Producers:
    """Polls all of them, from the loop alone; records of a replaced one end with their own reports.

    A replaced producer goes on sending what it holds until its records are acknowledged or their
    deadline passes, while new records go through the new one. So the records of a match may change
    places on the topic, and one whose sender gave up and came again may be there twice. Neither
    does harm: whoever reads the topic goes by the revisions of an event, in whatever order.
    """

    def __init__(self, connect: Callable[[], Producer], deadline_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._drained_within_s = deadline_s + DRAIN_GRACE_S
        self._draining: list[Draining] = []
        self._renewable = RenewableProducer(
            connect,
            retire=self._retire,
            renew_after_s=max(RENEW_AFTER_S, deadline_s / RENEWALS),
            clock=self._loop.time,
        )

    def get(self) -> Producer:
        """The producer to produce with."""
        return self._renewable.get()

    def failed(self, producer: Producer) -> bool:
        """Take note of a delivery that failed; returns whether its producer is still in use."""
        return self._renewable.failed(producer)

    def poll(self) -> None:
        """Serve the callbacks of all, and let go of those that have nothing left to report.

        One that has failed is replaced as soon as may be: the new one connects meanwhile.
        """
        producer = self._renewable.current
        try:
            producer.poll(0)
        except KafkaException:  # a fatal error, which the client's log tells
            self._renewable.failed(producer)
        if self._draining:
            self._drain()
        self._renewable.get()

    def __iter__(self) -> Iterator[Producer]:
        """Each of them, the one in use first."""
        yield self._renewable.current
        yield from (each.producer for each in self._draining if each.producer)

    def __bool__(self) -> bool:
        """Whether any has something left to report."""
        return bool(self._draining) or len(self._renewable.current) > 0

    def _retire(self, producer: Producer) -> None:
        self._draining.append(Draining(producer, self._loop.time() + self._drained_within_s))

    def _drain(self) -> None:
        now = self._loop.time()
        left = []
        for each in self._draining:
            if each.is_drained(now):
                self._loop.run_in_executor(None, each.let_go)
            else:
                left.append(each)
        self._draining = left
