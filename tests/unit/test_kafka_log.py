"""The client's own log, which repeats itself."""

import logging

from local.kafka_trigger.kafka.settings import REPEAT_AFTER_S, ThrottleFilter


def line(kind: str, text: str = "Connection refused") -> logging.LogRecord:
    """A line as the client logs it."""
    arguments = (kind, "rdkafka#consumer-1", text)
    return logging.LogRecord("kafka", logging.ERROR, "", 0, "%s [%s] %s", arguments, None)


def test_a_line_that_comes_again_and_again_is_told_once_in_a_while() -> None:
    """A broker that is away makes 20 lines a second, of one kind with ever other numbers."""
    times = [number * 0.05 for number in range(2000)]
    now = iter(times)
    sparingly = ThrottleFilter(lambda: next(now))
    passed = [each for each in times if sparingly.filter(line("FAIL", f"after {each} ms"))]
    assert len(passed) == 4
    assert passed[1] - passed[0] >= REPEAT_AFTER_S


def test_lines_of_other_kinds_pass() -> None:
    """One kind hides no other."""
    sparingly = ThrottleFilter(lambda: 0)
    assert [sparingly.filter(line(kind)) for kind in ("FAIL", "SESSTMOUT", "FAIL")] == [
        True,
        True,
        False,
    ]


def test_what_cannot_be_read_again_is_told_once_in_a_while_and_not_kept() -> None:
    """Its only argument is the error, a new one each time."""
    sparingly = ThrottleFilter(lambda: 0)
    errors = [ValueError("no password") for _ in range(3)]
    lines = [logging.LogRecord("kafka", 40, "", 0, "cannot: %s", (each,), None) for each in errors]
    assert [sparingly.filter(each) for each in lines] == [True, False, False]
