"""A Kafka producer that is replaced after one of its deliveries has failed."""

import logging
import time
from collections.abc import Callable
from threading import Lock

from confluent_kafka import KafkaException, Producer

RENEW_AFTER_S = 1.0  # the least age of a producer that is replaced: a broken broker sees few

log = logging.getLogger(__name__)


class RenewableProducer:
    """Holds the producer to produce with; threads may share it.

    librdkafka recovers from most errors by itself, but not from all: a producer that its broker
    calls fenced is rejected for ever, and one that learnt of a cluster without brokers looks for
    none. Which errors are fatal depends on the broker, so every error counts: a new producer costs
    a millisecond and its connections.

    `connect` makes a producer. `retire` is called with one that was replaced; the records that it
    still holds end with their own delivery reports, as long as it is polled.
    """

    def __init__(
        self,
        connect: Callable[[], Producer],
        *,
        retire: Callable[[Producer], None] = lambda _: None,
        renew_after_s: float = RENEW_AFTER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._retire = retire
        self._renew_after_s = renew_after_s
        self._clock = clock
        self._lock = Lock()
        self._has_failed = False
        self._made_at = clock()
        self._producer = connect()

    @property
    def current(self) -> Producer:
        """The producer in use, whether or not it has failed."""
        return self._producer

    def get(self) -> Producer:
        """Return the producer in use; a new one if a delivery of the last one has failed."""
        if self._has_failed:
            with self._lock:
                if self._has_failed and self._clock() - self._made_at >= self._renew_after_s:
                    self._renew()
        return self._producer

    def failed(self, producer: Producer) -> bool:
        """Record that a delivery failed; return whether its producer is still in use."""
        with self._lock:
            is_in_use = producer is self._producer
            self._has_failed = self._has_failed or is_in_use
        return is_in_use

    def _renew(self) -> None:
        self._made_at = self._clock()
        try:
            producer = self._connect()
        except KafkaException as error:  # for instance while a CA file is being replaced
            log.error("no new producer can be made: %s", error.args[0].str())  # noqa: TRY400 (says it all)
            return
        replaced, self._producer = self._producer, producer
        self._has_failed = False
        self._retire(replaced)
