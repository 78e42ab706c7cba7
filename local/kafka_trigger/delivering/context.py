"""The parts that the deliveries of a trigger's partitions share, and those of one partition."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from local.kafka_trigger.config.models import Retry
from local.kafka_trigger.delivering.availability_log import AvailabilityLog
from local.kafka_trigger.delivering.classify_response import Outcome
from local.kafka_trigger.delivering.dead_letter import DeadLetterSink, Reason
from local.kafka_trigger.envelopes.encoder import Encoder
from local.kafka_trigger.filters.record_filter import RecordPredicate

Wait = Callable[[float], bool]


class DeliveryMetrics(Protocol):
    """The counts of a trigger's deliveries."""

    def count_request(self, outcome: Outcome, records: int, requests: int, seconds: float) -> None:
        """Count a request with these records, the first of which was sent `requests` times."""

    def count_filtered(self, records: int) -> None:
        """Count records that no filter matches."""

    def count_dead_letters(self, reasons: Counter[Reason]) -> None:
        """Count dead letters that are written."""


@dataclass(frozen=True)
class DeliveryContext:
    """The settings and outputs that all partitions of a trigger share.

    `accepts` returns whether a record is to be delivered; None delivers all.
    """

    trigger: str
    retry: Retry
    encode: Encoder
    accepts: RecordPredicate | None
    dead_letters: DeadLetterSink
    availability: AvailabilityLog
    metrics: DeliveryMetrics


@dataclass(frozen=True)
class Waits:
    """Waits for some seconds, or less if a delivery is to stop; they return whether it is.

    `until_stop` is the usual one. `until_abort` replaces it where a record after one that is left
    is processed already: if the delivery stopped there, that record would be delivered twice. So it
    may leave time to finish.
    """

    until_stop: Wait
    until_abort: Wait


@dataclass
class DeliveryStatus:
    """The status of a partition's delivery, for other threads to read.

    `attempts` counts the requests since a record was last processed, and is 0 while none is in
    flight. `blocked_by` is the reason why the partition cannot go on by itself, None while it can.
    """

    attempts: int = 0
    blocked_by: str | None = None
