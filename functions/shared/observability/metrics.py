"""Metrics of a process, in Prometheus' text format.

https://prometheus.io/docs/instrumenting/exposition_formats/

Prometheus' own library takes 50 ms to import, a fifth of a function's start.
"""

from collections.abc import Callable
from typing import Protocol


class _Metric(Protocol):
    def exposition(self) -> str:
        """Return the metric in Prometheus' text format."""


_metrics: list[_Metric] = []


class Counter:
    """A number that only grows, or one for each value of a label; its name ends in `_total`."""

    def __init__(self, name: str, help_text: str, *, label: str | None = None) -> None:
        self.name = name
        self._help = help_text
        self.label = label
        self._values: dict[str, int] = {} if label else {"": 0}
        _metrics.append(self)

    @property
    def value(self) -> int:
        """The sum over the values of the label."""
        return sum(self._values.values())

    def increment(self, by: int = 1, *, of: str = "") -> None:
        """Count `by` more, of this value of the label."""
        self._values[of] = self._values.get(of, 0) + by

    def exposition(self) -> str:
        """Return the counter in Prometheus' text format."""
        return _header(self.name, self._help, "counter") + "".join(
            f"{self.name}{self._labelled(of)} {value}\n" for of, value in self._values.items()
        )

    def _labelled(self, value: str) -> str:
        if self.label is None:
            return ""
        escaped = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        return f'{{{self.label}="{escaped}"}}'


class Gauge:
    """A number that may change in any direction; `read` returns it whenever it is asked for."""

    def __init__(self, name: str, help_text: str, read: Callable[[], float] = lambda: 0) -> None:
        self.name = name
        self.label = None
        self._help = help_text
        self.read = read
        _metrics.append(self)

    def exposition(self) -> str:
        """Return the gauge in Prometheus' text format."""
        return f"{_header(self.name, self._help, 'gauge')}{self.name} {self.read():g}\n"


def _header(name: str, help_text: str, kind: str) -> str:
    return f"# HELP {name} {help_text}\n# TYPE {name} {kind}\n"


def exposition() -> bytes:
    """Return all metrics of the process in Prometheus' text format."""
    return "".join(metric.exposition() for metric in _metrics).encode()
