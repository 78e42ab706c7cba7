"""The waits between attempts."""

from datetime import UTC, datetime

import pytest

from local.kafka_trigger.delivering.backoff import MAX_RETRY_AFTER_S, full_jitter, retry_after_s

NOW = datetime(2022, 12, 18, 15, 0, 0, tzinfo=UTC)


def test_the_limit_doubles_up_to_the_maximum() -> None:
    """Each wait may be twice as long as the one before, up to the maximum."""
    waits = [full_jitter(tries, 0.5, 3, lambda: 1) for tries in range(1, 6)]
    assert waits == [0.5, 1, 2, 3, 3]
    assert full_jitter(1_000_000, 0.5, 3, lambda: 1) == 3


def test_waits_are_spread_over_the_whole_range() -> None:
    """Full jitter: a random number between 0 and the limit."""
    chances = iter([0, 0.25, 1])
    assert [full_jitter(3, 1, 60, lambda: next(chances)) for _ in range(3)] == [0, 1, 4]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("7", 7),
        (" 7 ", 7),
        ("Sun, 18 Dec 2022 15:00:09 GMT", 9),
        ("Sun, 18 Dec 2022 14:00:00 GMT", 0),
        ("soon", 0),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", 0),
        ("-1", 0),
        ("1.5", 0),
        ("99999999999", MAX_RETRY_AFTER_S),
        ("Sun, 18 Dec 2322 15:00:09 GMT", MAX_RETRY_AFTER_S),
        ("Sun, 18 Dec 2022 15:00:09 -0000", 9),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float) -> None:
    """Both forms are parsed, anything else is ignored, and a week is cut."""
    assert retry_after_s(header, NOW) == seconds
