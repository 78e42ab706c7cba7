"""The correlation id: the caller's if its request has one, otherwise a new one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.observability.trace import continue_trace, is_valid, trace_id

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = f"00-{TRACE}-{SPAN}-01"


def test_a_callers_trace_is_continued_with_a_new_span() -> None:
    """The same trace and flags, another span."""
    ours = continue_trace(CALLER)
    version, trace, span, flags = ours.split("-")
    assert (version, trace, flags) == ("00", TRACE, "01")
    assert span != SPAN
    assert is_valid(ours)


@pytest.mark.parametrize("flags", ["00", "01", "ff"])
def test_the_callers_flags_are_kept(flags: str) -> None:
    """The caller decides whether a trace is sampled."""
    assert continue_trace(f"00-{TRACE}-{SPAN}-{flags}").endswith(f"-{flags}")


def test_each_new_trace_has_its_own_id() -> None:
    """Two requests without a trace do not share one."""
    assert trace_id(continue_trace(None)) != trace_id(continue_trace(None))


def test_a_trace_id_is_kept_when_its_trace_is_continued() -> None:
    """From the caller's header to ours."""
    assert trace_id(CALLER) == trace_id(continue_trace(CALLER)) == TRACE


def test_a_later_version_is_continued_in_our_version() -> None:
    """Fields that a later version appends are ignored (Trace Context, 3.2.4)."""
    for traceparent in (f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-the-future-adds"):
        assert trace_id(continue_trace(traceparent)) == TRACE
        assert continue_trace(traceparent).startswith("00-")


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "00",
        TRACE,
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00_{TRACE}_{SPAN}_01",
        f"00-{'٣' * 32}-{SPAN}-01",
    ],
)
def test_an_invalid_traceparent_starts_a_new_trace(traceparent: str) -> None:
    """No header value does harm."""
    assert not is_valid(traceparent)
    assert is_valid(continue_trace(traceparent))
    assert TRACE not in continue_trace(traceparent)


@given(st.none() | st.text() | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"))
def test_any_value_yields_a_valid_traceparent(traceparent: str | None) -> None:
    """Of the caller's trace if that is valid."""
    ours = continue_trace(traceparent)
    assert is_valid(ours)
    if traceparent and is_valid(traceparent):
        assert trace_id(ours) == trace_id(traceparent)
