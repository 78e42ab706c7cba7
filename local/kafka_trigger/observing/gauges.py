"""Gauges of the triggers' current state, for Prometheus."""

import time
from collections.abc import Callable, Iterable, Sequence

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from local.kafka_trigger.consuming.partition_worker import PartitionWorker
from local.kafka_trigger.consuming.trigger_state import TriggerState
from local.kafka_trigger.record import age_s


class Gauges(Collector):
    """Reads the triggers' state whenever metrics are collected; `now` returns the Unix time."""

    def __init__(
        self, states: Sequence[TriggerState], now: Callable[[], float] = time.time
    ) -> None:
        self._states = states
        self._now = now

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield the gauges of all triggers."""
        yield self._gauge("partitions_held", "Partitions that it has.", _assigned)
        yield self._gauge(
            "partitions_paused", "Partitions held back, for their function is slow.", _paused
        )
        yield self._gauge(
            "partitions_blocked", "Partitions that cannot go on; /ready says why.", _blocked
        )
        yield self._gauge("records_in_flight", "Records sent to the function just now.", _in_flight)
        yield self._gauge(
            "oldest_undelivered_age_seconds",
            "The age of the oldest record that is here and not settled; 0 if there is none.",
            self._oldest_age_s,
        )
        yield self._lag()

    def _gauge(
        self, name: str, documentation: str, value: Callable[[TriggerState], float]
    ) -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(f"kafka_trigger_{name}", documentation, labels=["trigger"])
        for state in self._states:
            gauge.add_metric([state.trigger], value(state))
        return gauge

    def _oldest_age_s(self, state: TriggerState) -> float:
        workers = state.sorted_workers()
        oldest = [record for each in workers if (record := each.oldest) is not None]
        now = self._now()
        return max((age_s(each, now) or 0 for each in oldest), default=0)

    def _lag(self) -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(
            "kafka_trigger_lag_records",
            "Offsets between what is settled and the partition's end; 0 where no record is left.",
            labels=["trigger", "partition"],
        )
        for state in self._states:
            end_offsets = state.end_offsets
            for worker in state.sorted_workers():
                if worker.partition in end_offsets:
                    lag = _lag(state, worker, end_offsets[worker.partition])
                    gauge.add_metric([state.trigger, str(worker.partition)], lag)
        return gauge


def _assigned(state: TriggerState) -> int:
    return len(state.workers)


def _paused(state: TriggerState) -> int:
    return len(state.paused)


def _in_flight(state: TriggerState) -> int:
    return sum(len(worker.in_flight) for worker in state.sorted_workers())


def _blocked(state: TriggerState) -> int:
    return len(state.blocked())


def _lag(state: TriggerState, worker: PartitionWorker, end_offset: int) -> int:
    """The lag of a partition; 0 if nothing of it was received yet."""
    partition, oldest = worker.partition, worker.oldest
    if state.offsets.is_caught_up(partition, worker.processed_to):
        return 0
    position = state.offsets.committable(partition, worker.processed_to)
    if position is None:
        position = end_offset if oldest is None else oldest.offset()
    return max(end_offset - position, 0)
