"""The metrics of a function, as Prometheus reads them."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from functions.shared.observability import metrics
from functions.shared.observability.metrics import Counter, Gauge, exposition


@pytest.fixture(autouse=True)
def _no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the process' own metrics alone."""
    monkeypatch.setattr(metrics, "_metrics", [])


def samples() -> dict[tuple[str, tuple[str, ...]], float]:
    """The values by their names and the values of their labels."""
    families = list(text_string_to_metric_families(exposition().decode()))
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_counter_begins_at_nothing() -> None:
    """So that a rate can be taken from the first one on."""
    counter = Counter("calls_total", "Calls.")
    assert samples() == {("calls_total", ()): 0}
    counter.increment()
    counter.increment(4)
    assert (samples(), counter.value) == ({("calls_total", ()): 5}, 5)


def test_a_counter_with_a_label_is_one_for_each_of_its_values() -> None:
    """Whatever characters they have."""
    counter = Counter("texts_total", "Texts.", label="by")
    assert samples() == {}
    odd = 'model:a "b" \\ c\nd'
    for name in ("template", odd, odd):
        counter.increment(of=name)
    assert samples() == {("texts_total", ("template",)): 1, ("texts_total", (odd,)): 2}
    assert counter.value == 3


def test_a_gauge_is_read_when_it_is_asked_for() -> None:
    """It may fall too."""
    values = iter([1.0, 0.5, True])
    Gauge("open", "Whether it is open.", lambda: next(values))
    assert [samples()["open", ()] for _ in range(3)] == [1, 0.5, 1]
