"""Prometheus metrics of the calls."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 300)


class Metrics:
    """The metrics of all jobs, in a registry; `now` returns seconds since 1970."""

    def __init__(self, registry: CollectorRegistry, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._calls = Counter(
            "cron_calls_total",
            "Calls, by the class of their status; none: there was no answer.",
            ("name", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "cron_call_duration_seconds",
            "How long a call takes.",
            ("name",),
            buckets=SECONDS,
            registry=registry,
        )
        self._succeeded_at = Gauge(
            "cron_last_success_timestamp_seconds",
            "When a call was last answered with 2xx, in seconds since 1970; 0: never yet.",
            ("name",),
            registry=registry,
        )

    def initialise(self, name: str) -> None:
        """Set a job's metrics to 0, so that a job that never succeeds has them too."""
        self._seconds.labels(name)
        self._succeeded_at.labels(name)

    def count(self, name: str, status: int | None, seconds: float) -> None:
        """Count a call."""
        status_class = f"{status // 100}xx" if status else "none"
        self._calls.labels(name, status_class).inc()
        self._seconds.labels(name).observe(seconds)
        if status_class == "2xx":
            self._succeeded_at.labels(name).set(self._now())
