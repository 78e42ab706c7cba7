"""What an operator sees of cron."""

from collections.abc import Mapping
from typing import cast

import pytest
from prometheus_client import CollectorRegistry

from local.cron.metrics import Metrics
from local.cron.watch import LineWatch, health


class World:
    """Two lines, whose clock and threads tests govern."""

    def __init__(self) -> None:
        self.time = 100.0
        self.alive = {"first", "second"}
        self.first, self.second = self.watches = [self.watch(name) for name in sorted(self.alive)]

    def watch(self, name: str) -> LineWatch:
        """Watch a line whose calls have 30 s."""
        return LineWatch(name, 30, lambda: name in self.alive, lambda: self.time)

    def troubles(self) -> tuple[bool, Mapping[str, object]]:
        """What /health says."""
        report = health(self.watches)
        return report.is_well, cast(Mapping[str, object], report.body["lines"])


def test_a_call_may_take_its_time_out_and_ten_seconds() -> None:
    """One that takes longer is named, until it ends."""
    world = World()
    world.first.begin()
    world.time += 40
    assert world.troubles() == (True, {"first": "ok", "second": "ok"})
    world.time += 1
    stuck = {"first": "a call has been under way for 41 s", "second": "ok"}
    assert world.troubles() == (False, stuck)
    assert world.first.end() == 41
    assert world.troubles()[0]


def test_a_line_without_its_thread_is_unhealthy() -> None:
    """It would never be called again."""
    world = World()
    world.alive.remove("second")
    assert world.troubles() == (False, {"first": "ok", "second": "its thread has ended"})


def test_of_lines_with_one_name_the_trouble_is_told() -> None:
    """One that works hides none that does not."""
    world = World()
    world.watches = [world.watch("first"), LineWatch("first", 30, lambda: False), world.first]
    assert world.troubles() == (False, {"first": "its thread has ended"})


@pytest.mark.parametrize(
    ("status", "kind", "succeeded_at"),
    [(200, "2xx", 7), (204, "2xx", 7), (302, "3xx", 0), (503, "5xx", 0), (None, "none", 0)],
)
def test_a_call_is_counted_by_the_class_of_its_status(
    status: int | None, kind: str, succeeded_at: float
) -> None:
    """Only a 2xx is a success."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, now=lambda: 7)
    metrics.expect("sweep")
    metrics.called("sweep", status, 0.3)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"cron_{name}", {"name": "sweep", **labels})

    assert value("calls_total", status=kind) == 1
    assert value("last_success_timestamp_seconds") == succeeded_at
    assert value("call_duration_seconds_sum") == 0.3
