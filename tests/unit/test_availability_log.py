"""The log of a function's availability."""

import pytest

from local.kafka_trigger.delivering.availability_log import AvailabilityLog


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_an_outage_is_logged_once_then_rarely_and_its_end_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Ten minutes with an attempt a second make a handful of lines."""
    caplog.set_level("INFO")
    clock = Clock()
    log = AvailabilityLog("trigger", clock)
    for clock.now in range(600):
        log.unavailable("refused")
    log.available()
    log.available()
    assert [record.message for record in caplog.records] == [
        "the function is away; its records wait",
        *["the function is still away"] * 6,
        "the function is back",
    ]
    assert caplog.records[-1].__dict__["fields"] == {"trigger": "trigger", "away_s": 599.0}


def test_a_function_that_stays_available_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Though each delivery reports it as available."""
    caplog.set_level("INFO")
    AvailabilityLog("trigger").available()
    assert not caplog.records
