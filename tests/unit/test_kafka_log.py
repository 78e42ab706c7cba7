"""The client's own log, which repeats itself."""

import logging

from local.kafka_trigger.kafka.settings import REPEAT_AFTER_S, ThrottleFilter


def line(kind: str, text: str = "Connection refused") -> logging.LogRecord:
    """A line as the client logs it."""
    arguments = (kind, "rdkafka#consumer-1", text)
    return logging.LogRecord("kafka", logging.ERROR, "", 0, "%s [%s] %s", arguments, None)


def test_a_repeated_line_is_logged_every_30_s() -> None:
    """An unreachable broker makes 20 lines a second, of one kind with other numbers."""
    times = [number * 0.05 for number in range(2000)]
    now = iter(times)
    sparingly = ThrottleFilter(lambda: next(now))
    passed = [each for each in times if sparingly.filter(line("FAIL", f"after {each} ms"))]
    assert len(passed) == 4
    assert passed[1] - passed[0] >= REPEAT_AFTER_S


def test_lines_of_other_kinds_are_logged() -> None:
    """One kind hides no other."""
    sparingly = ThrottleFilter(lambda: 0)
    assert [sparingly.filter(line(kind)) for kind in ("FAIL", "SESSTMOUT", "FAIL")] == [
        True,
        True,
        False,
    ]


def test_settings_that_cannot_be_read_again_are_logged_every_30_s() -> None:
    """Their only argument is the error, a new one each time, which is not kept."""
    sparingly = ThrottleFilter(lambda: 0)
    errors = [ValueError("no password") for _ in range(3)]
    lines = [logging.LogRecord("kafka", 40, "", 0, "cannot: %s", (each,), None) for each in errors]
    assert [sparingly.filter(each) for each in lines] == [True, False, False]
