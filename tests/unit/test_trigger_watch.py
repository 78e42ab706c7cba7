"""What an operator sees of triggers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from prometheus_client import CollectorRegistry

from local.kafka_trigger.consuming.partition import Partition
from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.delivering.attempts import Attempts
from local.kafka_trigger.observing.gauges import Gauges
from local.kafka_trigger.observing.reports import health, readiness, status
from local.kafka_trigger.observing.trigger_state import TriggerState
from tests.support.builders.records import record, records

NOON_MS = 1_671_364_800_000


@dataclass
class FakePartition:
    """A partition as it stands at some moment."""

    number: int
    is_alive: bool = True
    position: int | None = None
    in_flight: list[Record] = field(default_factory=list)
    oldest: Record | None = None
    blocked_by: str | None = None
    attempts: Attempts = field(default_factory=Attempts)


class World:
    """Two triggers, whose clock tests set."""

    def __init__(self) -> None:
        self.time = 100.0
        self.read_errors: dict[int | None, str] = {}
        self.first, self.second = self.watches = [
            TriggerState(name, lambda: self.time, self.read_errors if name == "first" else None)
            for name in ("first", "second")
        ]

    def hold(self, *partitions: FakePartition) -> None:
        """Give partitions to the first trigger."""
        for each in partitions:
            self.first.partitions[each.number] = cast(Partition, each)

    def troubles(self) -> tuple[bool, Mapping[str, object]]:
        """What /health says."""
        report = health(self.watches)
        return report.is_ok, cast(Mapping[str, object], report.body["triggers"])

    def gauge(self, name: str, now: float = 0, **labels: str) -> float | None:
        """A gauge of the first trigger."""
        registry = CollectorRegistry()
        registry.register(Gauges(self.watches, lambda: now))
        return registry.get_sample_value(f"kafka_trigger_{name}", {"trigger": "first", **labels})


def test_a_loop_that_stands_still_is_unhealthy_and_named() -> None:
    """After 30 s without a turn, and well again with the next."""
    world = World()
    world.time = 130
    assert world.troubles() == (True, {"first": "ok", "second": "ok"})
    world.second.turn()
    world.time = 131
    stuck = {"first": "its loop has not turned for 31 s", "second": "ok"}
    assert world.troubles() == (False, stuck)
    world.first.turn()
    assert world.troubles()[0]


def test_a_drain_may_take_its_time() -> None:
    """As long as the trigger allows what is in flight, the loop is not expected back."""
    world = World()
    for watch in world.watches:
        watch.turn(240)
    world.time = 370
    assert world.troubles()[0]
    world.time = 371
    assert not world.troubles()[0]


def test_a_partition_whose_thread_has_ended_is_unhealthy() -> None:
    """However well the loop turns: its records would wait for ever."""
    world = World()
    world.hold(FakePartition(0), FakePartition(2, is_alive=False))
    told = {"first": "the threads of partitions [2] have ended", "second": "ok"}
    assert world.troubles() == (False, told)


def test_a_trigger_is_ready_once_all_are_in_their_groups() -> None:
    """Without a partition too; and not any more once it stops."""
    world = World()
    world.first.is_member = True
    world.hold(FakePartition(2), FakePartition(0))
    assert not readiness(world.watches, is_stopping=False).is_ok
    world.second.is_member = True
    report = readiness(world.watches, is_stopping=False)
    assert report.is_ok
    assert report.body["triggers"] == {
        "first": {"member": True, "partitions": [0, 2], "blocked": {}},
        "second": {"member": True, "partitions": [], "blocked": {}},
    }
    assert not readiness(world.watches, is_stopping=True).is_ok


def test_a_partition_that_cannot_go_on_is_named_with_why() -> None:
    """In /ready, in a metric and in /status, until it goes on; a restart would not help."""
    world = World()
    world.first.is_member = world.second.is_member = True
    stuck, well = FakePartition(2, blocked_by="too large"), FakePartition(0)
    world.hold(stuck, well)
    world.read_errors[None] = "no topic"
    report = readiness(world.watches, is_stopping=False)
    assert not report.is_ok
    told = cast(dict[str, Any], report.body["triggers"])
    assert told["first"]["blocked"] == {"all": "no topic", "2": "too large"}
    assert told["second"]["blocked"] == {}
    assert world.gauge("partitions_blocked") == 2
    assert world.troubles()[0]
    standing = cast(dict[str, Any], status(world.watches).body["triggers"])["first"]
    assert standing["blocked"] == {"all": "no topic", "2": "too large"}
    told = standing["partitions"]
    assert (told["0"]["blocked"], told["2"]["blocked"]) == (None, "too large")

    stuck.blocked_by = None
    world.read_errors.clear()
    assert readiness(world.watches, is_stopping=False).is_ok
    assert world.gauge("partitions_blocked") == 0


def test_the_gauges_say_what_is_held_paused_and_in_flight() -> None:
    """Summed over a trigger's partitions."""
    world = World()
    world.hold(FakePartition(0, in_flight=records([4, 5])), FakePartition(1))
    world.first.paused.add(1)
    assert world.gauge("partitions_held") == 2
    assert world.gauge("partitions_paused") == 1
    assert world.gauge("records_in_flight") == 2


def test_the_oldest_record_has_the_age_of_its_time() -> None:
    """Of all partitions; a record without a time has no age, and nothing waiting is 0."""
    world = World()
    world.hold(FakePartition(0))
    assert world.gauge("oldest_undelivered_age_seconds") == 0
    for number, milliseconds in enumerate([NOON_MS, NOON_MS + 5000]):
        world.hold(FakePartition(number, oldest=record(timestamp=(1, milliseconds))))
    world.hold(FakePartition(2, oldest=record(value=b"", timestamp=(0, 0))))
    assert world.gauge("oldest_undelivered_age_seconds", NOON_MS / 1000 + 7) == 7
    assert world.gauge("oldest_undelivered_age_seconds", NOON_MS / 1000 - 7) == 0


def test_the_lag_is_what_is_not_settled() -> None:
    """From what is done, or else from the first that came; at the end while nothing has come."""
    world = World()
    world.hold(
        FakePartition(0, position=40),
        FakePartition(1, oldest=record(90)),
        FakePartition(2),
        FakePartition(3, position=40),
        FakePartition(4, position=101),
    )
    world.first.ends = {0: 100, 1: 100, 2: 100, 4: 100}
    lags = [world.gauge("lag_records", partition=str(number)) for number in range(5)]
    assert lags == [60, 10, 0, None, 0]


def test_the_lag_is_nothing_where_no_record_is_left() -> None:
    """Offsets at the end without a record are passed over, as those of transactions."""
    world = World()
    world.hold(
        FakePartition(0, position=99),
        FakePartition(1, position=98),
        FakePartition(2),
        FakePartition(3, position=110),
    )
    world.first.ends = dict.fromkeys(range(4), 120)  # the last are of an open transaction
    for number, handed_on in {0: 99, 1: 99, 3: 99}.items():
        world.first.progress.hand_on(number, handed_on)
    for number in range(4):
        world.first.progress.meet_end(number, 100)
    world.first.progress.hand_on(3, 111)
    lags = [world.gauge("lag_records", partition=str(number)) for number in range(4)]
    assert lags == [0, 22, 0, 10]
