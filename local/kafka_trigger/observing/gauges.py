"""How triggers stand at this moment, for Prometheus."""

import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from local.kafka_trigger.consuming.partition import Partition
from local.kafka_trigger.delivering.age import age_s
from local.kafka_trigger.observing.trigger_state import TriggerState


class Gauges(Collector):
    """Looks at the triggers when it is asked, and at no other time; `now` is the time of day."""

    def __init__(
        self, watches: Sequence[TriggerState], now: Callable[[], float] = time.time
    ) -> None:
        self._watches = watches
        self._now = now

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges of all triggers."""
        yield self._each("partitions_held", "Partitions that it has.", lambda at: len(at.held()))
        yield self._each(
            "partitions_paused", "Partitions held back, for their function is slow.", _paused
        )
        yield self._each(
            "partitions_blocked", "Partitions that cannot go on; /ready says why.", _blocked
        )
        yield self._each("records_in_flight", "Records sent to the function just now.", _in_flight)
        yield self._each(
            "oldest_undelivered_age_seconds",
            "The age of the oldest record that is here and not settled; 0 if there is none.",
            self._oldest_age_s,
        )
        yield self._lag()

    def _each(
        self, name: str, what: str, value: Callable[[TriggerState], float]
    ) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"kafka_trigger_{name}", what, labels=["trigger"])
        for watch in self._watches:
            family.add_metric([watch.trigger], value(watch))
        return family

    def _oldest_age_s(self, watch: TriggerState) -> float:
        oldest = [record for each in watch.held() if (record := each.oldest) is not None]
        now = self._now()
        return max((age_s(each, now) or 0 for each in oldest), default=0)

    def _lag(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "kafka_trigger_lag_records",
            "Offsets between what is settled and the partition's end; 0 where no record is left.",
            labels=["trigger", "partition"],
        )
        for watch in self._watches:
            ends = watch.ends
            for partition in watch.held():
                if partition.number in ends:
                    lag = _lag(watch, partition, ends[partition.number])
                    family.add_metric([watch.trigger, str(partition.number)], lag)
        return family


def _paused(watch: TriggerState) -> int:
    return len(watch.paused)


def _in_flight(watch: TriggerState) -> int:
    return sum(len(partition.in_flight) for partition in watch.held())


def _blocked(watch: TriggerState) -> int:
    return len(watch.blocked())


def _lag(watch: TriggerState, partition: Partition, end: int) -> int:
    """A partition of which nothing has come yet has nothing that waits."""
    number, oldest = partition.number, partition.oldest
    if watch.progress.is_caught_up(number, partition.position):
        return 0
    position = watch.progress.settled(number, partition.position)
    if position is None:
        position = end if oldest is None else oldest.offset()
    return max(end - position, 0)
