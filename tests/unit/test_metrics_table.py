"""The metrics table of the operations page agrees with the code."""

import re
import threading
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Metric

from functions.enrich_batch import review
from functions.enrich_batch.queue import protected_enricher, results
from functions.shared.observability.metrics import Counter, Gauge
from local.cron import metrics as cron
from local.kafka_trigger.consuming.partition_worker import PartitionWorker
from local.kafka_trigger.consuming.record_queue import RecordQueue
from local.kafka_trigger.consuming.trigger_state import TriggerState
from local.kafka_trigger.delivering.context import DeliveryStatus
from local.kafka_trigger.observing import counters as trigger
from local.kafka_trigger.observing.gauges import Gauges
from local.kafka_trigger.record import Record
from local.process.probes import exposition
from tests.support.pages import section

ENRICH_BATCH = [
    metric
    for module in (results, review, protected_enricher)
    for metric in vars(module).values()
    if isinstance(metric, Counter | Gauge)
]


def test_every_metric_is_in_the_table() -> None:
    """The tables of metrics are the registry's own, and enrich-batch's."""
    table = section("docs/operations.md", "Monitoring")
    named = re.findall(r"^\| `(\w+)` \| (.*?) \|", table, re.MULTILINE)
    assert {name: re.findall(r"`(\w+)`", labels) for name, labels in named} == metrics()


def test_the_page_leaves_out_when_each_metric_began() -> None:
    """Few readers need them, and they would double the table."""
    registry = CollectorRegistry()
    trigger.Metrics(registry).of("a")
    page = exposition(registry).decode()
    assert 'kafka_trigger_records_taken_total{trigger="a"} 0.0' in page
    assert "_created" not in page


def metrics() -> dict[str, list[str]]:
    """Every metric, with its labels."""
    registry = CollectorRegistry()
    trigger.Metrics(registry).of("a")
    cron.Metrics(registry).count("a", 200, 1)
    state = TriggerState("a")
    state.workers[0] = worker()
    state.end_offsets[0] = 1
    registry.register(Gauges([state]))
    of_function = {each.name: [each.label] if each.label else [] for each in ENRICH_BATCH}
    return {name(metric): labels(metric) for metric in registry.collect()} | of_function


def worker() -> PartitionWorker:
    """A worker that has delivered nothing."""
    queue = RecordQueue(batch_size=1, batch_bytes=1, window_s=0)
    return PartitionWorker(
        0, queue, IdleDeliverer(), DeliveryStatus(), threading.Event(), lambda: None
    )


class IdleDeliverer:
    """A deliverer that is never called."""

    def deliver(self, records: Sequence[Record], on_progress: Callable[[int], None]) -> None:
        """Deliver nothing."""


def name(metric: Metric) -> str:
    """Return a metric's name in Prometheus."""
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def labels(metric: Metric) -> list[str]:
    """Its labels, but for the one of a histogram's buckets."""
    return [label for label in metric.samples[0].labels if label != "le"]
