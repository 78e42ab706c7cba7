"""The probes and gauges of triggers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from prometheus_client import CollectorRegistry

from local.kafka_trigger.consuming.partition_worker import PartitionWorker
from local.kafka_trigger.consuming.trigger_state import TriggerState
from local.kafka_trigger.delivering.context import DeliveryStatus
from local.kafka_trigger.observing.gauges import Gauges
from local.kafka_trigger.observing.reports import health, readiness, status
from local.kafka_trigger.record import Record
from tests.support.builders.records import record, records

NOON_MS = 1_671_364_800_000


@dataclass
class FakeWorker:
    """A worker at some moment."""

    partition: int
    is_alive: bool = True
    processed_to: int | None = None
    in_flight: list[Record] = field(default_factory=list)
    oldest: Record | None = None
    status: DeliveryStatus = field(default_factory=DeliveryStatus)


class TwoTriggers:
    """Two triggers, and a clock that tests set."""

    def __init__(self) -> None:
        self.time = 100.0
        self.read_errors: dict[int | None, str] = {}
        self.first, self.second = self.states = [
            TriggerState(name, lambda: self.time, self.read_errors if name == "first" else None)
            for name in ("first", "second")
        ]

    def assign(self, *workers: FakeWorker) -> None:
        """Give workers to the first trigger."""
        for each in workers:
            self.first.workers[each.partition] = cast(PartitionWorker, each)

    def problems(self) -> tuple[bool, Mapping[str, object]]:
        """The contents of /health."""
        report = health(self.states)
        return report.is_ok, cast(Mapping[str, object], report.body["triggers"])

    def gauge(self, name: str, now: float = 0, **labels: str) -> float | None:
        """A gauge of the first trigger."""
        registry = CollectorRegistry()
        registry.register(Gauges(self.states, lambda: now))
        return registry.get_sample_value(f"kafka_trigger_{name}", {"trigger": "first", **labels})


def test_a_poll_loop_that_hangs_is_unhealthy() -> None:
    """After 30 s without a round, and healthy again with the next."""
    both = TwoTriggers()
    both.time = 130
    assert both.problems() == (True, {"first": "ok", "second": "ok"})
    both.second.begin_round()
    both.time = 131
    stuck = {"first": "its loop has not turned for 31 s", "second": "ok"}
    assert both.problems() == (False, stuck)
    both.first.begin_round()
    assert both.problems()[0]


def test_a_drain_may_take_its_time() -> None:
    """The loop is not unhealthy while a batch in flight may finish."""
    both = TwoTriggers()
    for state in both.states:
        state.begin_round(240)
    both.time = 370
    assert both.problems()[0]
    both.time = 371
    assert not both.problems()[0]


def test_a_partition_whose_thread_has_ended_is_unhealthy() -> None:
    """Even if the loop runs: its records would wait for ever."""
    both = TwoTriggers()
    both.assign(FakeWorker(0), FakeWorker(2, is_alive=False))
    expected = {"first": "the threads of partitions [2] have ended", "second": "ok"}
    assert both.problems() == (False, expected)


def test_triggers_are_ready_once_all_are_in_their_groups() -> None:
    """With or without a partition, and until they stop."""
    both = TwoTriggers()
    both.first.is_member = True
    both.assign(FakeWorker(2), FakeWorker(0))
    assert not readiness(both.states, is_stopping=False).is_ok
    both.second.is_member = True
    report = readiness(both.states, is_stopping=False)
    assert report.is_ok
    assert report.body["triggers"] == {
        "first": {"member": True, "partitions": [0, 2], "blocked": {}},
        "second": {"member": True, "partitions": [], "blocked": {}},
    }
    assert not readiness(both.states, is_stopping=True).is_ok


def test_a_blocked_partition_is_reported_with_its_reason() -> None:
    """In /ready, in a metric and in /status, but not in /health: a restart would not help."""
    both = TwoTriggers()
    both.first.is_member = both.second.is_member = True
    stuck, well = FakeWorker(2, status=DeliveryStatus(blocked_by="too large")), FakeWorker(0)
    both.assign(stuck, well)
    both.read_errors[None] = "no topic"
    report = readiness(both.states, is_stopping=False)
    assert not report.is_ok
    triggers = cast(dict[str, Any], report.body["triggers"])
    assert triggers["first"]["blocked"] == {"all": "no topic", "2": "too large"}
    assert triggers["second"]["blocked"] == {}
    assert both.gauge("partitions_blocked") == 2
    assert both.problems()[0]
    first = cast(dict[str, Any], status(both.states).body["triggers"])["first"]
    assert first["blocked"] == {"all": "no topic", "2": "too large"}
    partitions = first["partitions"]
    assert (partitions["0"]["blocked"], partitions["2"]["blocked"]) == (None, "too large")

    stuck.status.blocked_by = None
    both.read_errors.clear()
    assert readiness(both.states, is_stopping=False).is_ok
    assert both.gauge("partitions_blocked") == 0


def test_gauges_count_assigned_paused_and_in_flight() -> None:
    """Summed over a trigger's partitions."""
    both = TwoTriggers()
    both.assign(FakeWorker(0, in_flight=records([4, 5])), FakeWorker(1))
    both.first.paused.add(1)
    assert both.gauge("partitions_held") == 2
    assert both.gauge("partitions_paused") == 1
    assert both.gauge("records_in_flight") == 2


def test_the_oldest_age_is_that_of_a_record_s_timestamp() -> None:
    """Of all partitions; a record without a timestamp has no age, and without records it is 0."""
    both = TwoTriggers()
    both.assign(FakeWorker(0))
    assert both.gauge("oldest_undelivered_age_seconds") == 0
    for number, milliseconds in enumerate([NOON_MS, NOON_MS + 5000]):
        both.assign(FakeWorker(number, oldest=record(timestamp=(1, milliseconds))))
    both.assign(FakeWorker(2, oldest=record(value=b"", timestamp=(0, 0))))
    assert both.gauge("oldest_undelivered_age_seconds", NOON_MS / 1000 + 7) == 7
    assert both.gauge("oldest_undelivered_age_seconds", NOON_MS / 1000 - 7) == 0


def test_the_lag_is_the_number_of_unprocessed_offsets() -> None:
    """From the processed offset, or else the first received record; 0 before any arrives."""
    both = TwoTriggers()
    both.assign(
        FakeWorker(0, processed_to=40),
        FakeWorker(1, oldest=record(90)),
        FakeWorker(2),
        FakeWorker(3, processed_to=40),
        FakeWorker(4, processed_to=101),
    )
    both.first.end_offsets = {0: 100, 1: 100, 2: 100, 4: 100}
    lags = [both.gauge("lag_records", partition=str(number)) for number in range(5)]
    assert lags == [60, 10, 0, None, 0]


def test_the_lag_is_0_where_no_record_is_left() -> None:
    """Offsets at the end without a record, as of transactions, do not count."""
    both = TwoTriggers()
    both.assign(
        FakeWorker(0, processed_to=99),
        FakeWorker(1, processed_to=98),
        FakeWorker(2),
        FakeWorker(3, processed_to=110),
    )
    both.first.end_offsets = dict.fromkeys(range(4), 120)  # the last are of an open transaction
    for number, enqueued_to in {0: 99, 1: 99, 3: 99}.items():
        both.first.offsets.record_enqueued(number, enqueued_to)
    for number in range(4):
        both.first.offsets.record_end(number, 100)
    both.first.offsets.record_enqueued(3, 111)
    lags = [both.gauge("lag_records", partition=str(number)) for number in range(4)]
    assert lags == [0, 22, 0, 10]
