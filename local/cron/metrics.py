"""What is counted of calls, for Prometheus."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 300)


class Metrics:
    """The metrics of all lines, in a registry; `now` is the time of day."""

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

    def expect(self, name: str) -> None:
        """Begin a line's metrics at nothing, so that a line that never succeeds is seen too."""
        self._seconds.labels(name)
        self._succeeded_at.labels(name)

    def called(self, name: str, status: int | None, seconds: float) -> None:
        """Count a call."""
        kind = f"{status // 100}xx" if status else "none"
        self._calls.labels(name, kind).inc()
        self._seconds.labels(name).observe(seconds)
        if kind == "2xx":
            self._succeeded_at.labels(name).set(self._now())
