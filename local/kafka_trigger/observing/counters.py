"""Counters of deliveries, for Prometheus."""

from collections import Counter as Tally
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from local.kafka_trigger.delivering.classify_response import Outcome, Verdict
from local.kafka_trigger.delivering.dead_letter import Reason

OUTCOMES = ("taken", "partial", "failed")
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)


class Metrics:
    """The counters of all triggers, in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, documentation: str, *labels: str) -> Counter:
            labels = ("trigger", *labels)
            return Counter(f"kafka_trigger_{name}", documentation, labels, registry=registry)

        self.accepted = counter("records_taken_total", "Records that the function has taken.")
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
            buckets=BUCKETS_S,
            registry=registry,
        )

    def of(self, trigger: str) -> "TriggerMetrics":
        """Return the counters of one trigger, which start at 0."""
        return TriggerMetrics(self, trigger)


class TriggerMetrics:
    """One trigger's counters: its workers share them, and increment them once a request."""

    def __init__(self, metrics: Metrics, trigger: str) -> None:
        self._accepted = metrics.accepted.labels(trigger)
        self._filtered = metrics.filtered.labels(trigger)
        self._retries = metrics.retries.labels(trigger)
        self._seconds = metrics.seconds.labels(trigger)
        self._batches = {each: metrics.batches.labels(trigger, each) for each in OUTCOMES}
        self._dead_letters = {
            each: metrics.dead_letters.labels(trigger, each) for each in get_args(Reason)
        }

    def count_request(self, outcome: Outcome, records: int, requests: int, seconds: float) -> None:
        """Count a request with these records, the first of which was sent `requests` times."""
        self._seconds.observe(seconds)
        if requests > 1:
            self._retries.inc()
        is_accepted = outcome.verdict is Verdict.ACCEPTED
        if is_accepted:
            self._accepted.inc(records - len(outcome.failures))
        name = ("partial" if outcome.failures else "taken") if is_accepted else "failed"
        self._batches[name].inc()

    def count_filtered(self, records: int) -> None:
        """Count records that no filter matches."""
        self._filtered.inc(records)

    def count_dead_letters(self, reasons: Tally[Reason]) -> None:
        """Count dead letters that are written."""
        for reason, count in reasons.items():
            self._dead_letters[reason].inc(count)
