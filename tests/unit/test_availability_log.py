"""The log of a function that is away."""

import pytest

from local.kafka_trigger.delivering.availability_log import AvailabilityLog


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_an_outage_is_told_once_then_rarely_and_its_end_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Ten minutes of a try every second make a handful of lines."""
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


def test_a_function_that_was_never_away_is_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """Each delivery says that somebody is there; that is no news."""
    caplog.set_level("INFO")
    AvailabilityLog("trigger").available()
    assert not caplog.records
