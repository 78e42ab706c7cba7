"""Cron's health probe and metrics."""

from collections.abc import Mapping
from typing import cast

import pytest
from prometheus_client import CollectorRegistry

from local.cron.job_monitor import JobMonitor, health
from local.cron.metrics import Metrics


class TwoJobs:
    """Two jobs, whose clock and threads a test controls."""

    def __init__(self) -> None:
        self.time = 100.0
        self.alive = {"first", "second"}
        self.first, self.second = self.monitors = [
            self.monitor(each) for each in sorted(self.alive)
        ]

    def monitor(self, name: str) -> JobMonitor:
        """The monitor of a job whose calls may take 30 s."""
        return JobMonitor(name, 30, lambda: name in self.alive, lambda: self.time)

    def health(self) -> tuple[bool, Mapping[str, object]]:
        """Return the result of /health."""
        result = health(self.monitors)
        return result.is_ok, cast(Mapping[str, object], result.body["lines"])


def test_a_call_may_take_ten_seconds_more_than_its_time_out() -> None:
    """One that takes longer is named, until it ends."""
    jobs = TwoJobs()
    jobs.first.begin()
    jobs.time += 40
    assert jobs.health() == (True, {"first": "ok", "second": "ok"})
    jobs.time += 1
    stuck = {"first": "a call has been under way for 41 s", "second": "ok"}
    assert jobs.health() == (False, stuck)
    assert jobs.first.end() == 41
    assert jobs.health()[0]


def test_a_job_whose_thread_has_ended_is_unhealthy() -> None:
    """It would never be called again."""
    jobs = TwoJobs()
    jobs.alive.remove("second")
    assert jobs.health() == (False, {"first": "ok", "second": "its thread has ended"})


def test_a_problem_hides_an_ok_of_the_same_name() -> None:
    """Two lines of a crontab may have one name."""
    jobs = TwoJobs()
    jobs.monitors = [jobs.monitor("first"), JobMonitor("first", 30, lambda: False), jobs.first]
    assert jobs.health() == (False, {"first": "its thread has ended"})


@pytest.mark.parametrize(
    ("status", "status_class", "succeeded_at"),
    [(200, "2xx", 7), (204, "2xx", 7), (302, "3xx", 0), (503, "5xx", 0), (None, "none", 0)],
)
def test_a_call_is_counted_by_the_class_of_its_status(
    status: int | None, status_class: str, succeeded_at: float
) -> None:
    """Only a 2xx is a success."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, now=lambda: 7)
    metrics.initialise("sweep")
    metrics.count("sweep", status, 0.3)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"cron_{name}", {"name": "sweep", **labels})

    assert value("calls_total", status=status_class) == 1
    assert value("last_success_timestamp_seconds") == succeeded_at
    assert value("call_duration_seconds_sum") == 0.3
