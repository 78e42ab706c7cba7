"""A registry's metrics in Prometheus' text format."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector


def exposition(registry: CollectorRegistry) -> bytes:
    """All metrics, without when each began, which is of no use and doubles the page."""
    return generate_latest(_Plain(registry))


class _Plain(Collector):
    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        for metric in self._registry.collect():
            metric.samples = [each for each in metric.samples if not each.name.endswith("_created")]
            yield metric
