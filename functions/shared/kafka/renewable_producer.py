"""A Kafka producer that is replaced by a new one when one of its deliveries has failed."""

import logging
import time
from collections.abc import Callable
from threading import Lock

from confluent_kafka import KafkaException, Producer

RENEW_AFTER_S = 1.0  # a producer is in use at least this long: a broker that refuses all gets few

log = logging.getLogger(__name__)


class RenewableProducer:
    """The producer to produce with; threads may share it.

    librdkafka recovers from most errors by itself, but not from all: one that its broker calls
    fenced is refused for ever, and one that was told of a cluster without brokers looks for none.
    Which error is of which kind depends on the broker, so each of them counts: a new producer
    costs a millisecond and its connections.

    `connect` makes a producer. `retire` is given one that was replaced; records that it still
    holds end with their own delivery reports, as long as somebody polls it.
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
        """The producer in use, whatever became of its deliveries."""
        return self._producer

    def get(self) -> Producer:
        """The producer in use; a new one if a delivery of the last one has failed."""
        if self._has_failed:
            with self._lock:
                if self._has_failed and self._clock() - self._made_at >= self._renew_after_s:
                    self._renew()
        return self._producer

    def failed(self, producer: Producer) -> bool:
        """Take note of a delivery that failed; returns whether its producer is still in use."""
        with self._lock:
            is_in_use = producer is self._producer
            self._has_failed = self._has_failed or is_in_use
        return is_in_use

    def _renew(self) -> None:
        self._made_at = self._clock()
        try:
            producer = self._connect()
        except KafkaException as error:  # a CA file that is just being replaced, for instance
            log.error("no new producer can be made: %s", error.args[0].str())  # noqa: TRY400 (says it all)
            return
        replaced, self._producer = self._producer, producer
        self._has_failed = False
        self._retire(replaced)
