"""Logs: every record is one JSON object on one line."""

import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.observability import trace
from functions.shared.observability.logs import JsonFormatter, configure_logging

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def line(message: str = "batch taken", *args: object, **extra: Any) -> dict[str, Any]:
    """Return the fields of a logged line."""
    record = logging.LogRecord("functions", logging.INFO, __file__, 1, message, args, None)
    vars(record).update(extra)
    text = JsonFormatter("consume-goal").format(record)
    assert "\n" not in text
    entry: dict[str, Any] = json.loads(text)
    return entry


@pytest.fixture(name="root")
def _root() -> Iterator[logging.Logger]:
    """The root logger, restored after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_has_time_level_service_and_message() -> None:
    """Time is in UTC, to the millisecond."""
    entry = line("%d records", 3)
    assert list(entry) == ["time", "level", "service", "message"]
    assert datetime.fromisoformat(entry["time"]).utcoffset() is not None
    assert (entry["level"], entry["service"]) == ("INFO", "consume-goal")
    assert entry["message"] == "3 records"


def test_extra_fields_are_added_to_the_line() -> None:
    """They keep their types."""
    entry = line(fields={"records": 3, "reason": None, "matches": ["a"]})
    assert (entry["records"], entry["reason"], entry["matches"]) == (3, None, ["a"])


def test_a_line_has_the_correlation_id_of_its_request() -> None:
    """It is the trace id; outside a request there is none."""
    token = trace.current.set(f"00-{TRACE}-00f067aa0ba902b7-01")
    try:
        assert line()["correlationId"] == TRACE
    finally:
        trace.current.reset(token)
    assert "correlationId" not in line()


def test_a_field_may_override_the_correlation_id_alone() -> None:
    """One call enriches the goals of many requests; no field replaces the service's name."""
    token = trace.current.set(f"00-{'0' * 31}1-00f067aa0ba902b7-01")
    try:
        entry = line(fields={"correlationId": TRACE, "service": "x"})
    finally:
        trace.current.reset(token)
    assert entry["correlationId"] == TRACE
    assert entry["service"] != "x"


def test_an_exception_is_logged_with_its_traceback_on_one_line() -> None:
    """Line breaks are escaped."""
    try:
        int("no\nnumber")
    except ValueError:
        entry = line(exc_info=sys.exc_info())
    assert entry["exception"].startswith("Traceback")
    assert entry["exception"].endswith(r"base 10: 'no\nnumber'")


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, ValueError("x"), 10**30, b"\xff", float("nan"), {1: 2}, "\ud800"]
)
def test_a_field_of_any_type_is_logged(value: object) -> None:
    """Logging must not raise an error."""
    assert "value" in line(fields={"value": value})


@pytest.mark.parametrize("text", ["two\nlines", 'quotes " and \\', "\0\x1b[31m", "名前", "\ud800"])
def test_a_message_of_any_text_is_one_line(text: str) -> None:
    """Control characters and lone surrogates too."""
    assert "message" in line("%s", text)


@given(st.text(st.characters()), st.dictionaries(st.text(), st.integers() | st.text() | st.none()))
def test_any_message_and_fields_are_one_json_object_on_one_line(
    message: str, fields: dict[str, object]
) -> None:
    """And have the service's name."""
    assert line("%s", message, fields=fields)["service"]


def test_a_configured_process_logs_json_to_standard_error(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the configured level upwards, in any library."""
    configure_logging("get-highlight", "WARNING")
    assert root.level == logging.WARNING
    logging.getLogger("some.library").info("not told")
    logging.getLogger("some.library").warning("told", extra={"fields": {"n": 1}})
    out, err = capsys.readouterr()
    assert out == ""
    (text,) = err.splitlines()
    entry = json.loads(text)
    assert (entry["service"], entry["message"], entry["n"]) == ("get-highlight", "told", 1)


def test_configuring_twice_does_not_log_twice(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is one handler."""
    configure_logging("get-highlight")
    configure_logging("get-highlight")
    assert len(root.handlers) == 1
    logging.getLogger(__name__).info("once")
    assert len(capsys.readouterr().err.splitlines()) == 1
