"""What is counted of deliveries, for Prometheus."""

from collections import Counter as Tally
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from local.kafka_trigger.delivering.classify_response import Outcome, Verdict
from local.kafka_trigger.delivering.dead_letter import Reason

OUTCOMES = ("taken", "partial", "failed")
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)


class Metrics:
    """The counters of all triggers, in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"kafka_trigger_{name}", what, ("trigger", *labels), registry=registry)

        self.taken = counter("records_taken_total", "Records that the function has taken.")
        self.filtered = counter(
            "records_filtered_total", "Records passed over, for no filter matches them."
        )
        self.batches = counter("batches_total", "Requests, by what became of them.", "outcome")
        self.retries = counter("retries_total", "Requests whose records had been sent before.")
        self.dead_letters = counter(
            "dead_letters_total", "Records given up, by why: refused, attempts or age.", "reason"
        )
        self.seconds = Histogram(
            "kafka_trigger_delivery_seconds",
            "How long the function takes to answer a request, or to fail to.",
            ("trigger",),
            buckets=SECONDS,
            registry=registry,
        )

    def of(self, trigger: str) -> "TriggerMetrics":
        """Those of one trigger, which begin at nothing."""
        return TriggerMetrics(self, trigger)


class TriggerMetrics:
    """One trigger's counters: its partitions' threads share them, and touch them once a batch."""

    def __init__(self, metrics: Metrics, trigger: str) -> None:
        self._taken = metrics.taken.labels(trigger)
        self._filtered = metrics.filtered.labels(trigger)
        self._retries = metrics.retries.labels(trigger)
        self._seconds = metrics.seconds.labels(trigger)
        self._batches = {each: metrics.batches.labels(trigger, each) for each in OUTCOMES}
        self._dead_letters = {
            each: metrics.dead_letters.labels(trigger, each) for each in get_args(Reason)
        }

    def delivered(self, outcome: Outcome, records: int, tries: int, seconds: float) -> None:
        """Count a request with so many records, at their so many-th try."""
        self._seconds.observe(seconds)
        if tries > 1:
            self._retries.inc()
        is_taken = outcome.verdict is Verdict.TAKEN
        if is_taken:
            self._taken.inc(records - len(outcome.failures))
        name = ("partial" if outcome.failures else "taken") if is_taken else "failed"
        self._batches[name].inc()

    def filtered(self, records: int) -> None:
        """Count records that were passed over."""
        self._filtered.inc(records)

    def buried(self, reasons: Tally[Reason]) -> None:
        """Count dead letters that are safe."""
        for reason, count in reasons.items():
            self._dead_letters[reason].inc(count)
