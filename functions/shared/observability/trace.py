"""W3C trace context: the correlation id that follows an event from the POST to the row.

https://www.w3.org/TR/trace-context/
"""

import os
import re
from contextvars import ContextVar

TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}"
    r"(?P<added>-.*)?"  # what a later version adds is not ours to read
)
LENGTH = 55  # characters of a traceparent that this version reads

current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def is_valid(traceparent: str) -> bool:
    """Whether a header's text is a traceparent that may be continued."""
    match = TRACEPARENT.fullmatch(traceparent)
    if match is None or match["version"] == "ff" or (match["version"] == "00" and match["added"]):
        return False
    return bool(match["trace"].strip("0") and match["span"].strip("0"))


def continue_trace(traceparent: str | None) -> str:
    """The caller's trace with a span of our own, or a new trace if there is none to continue."""
    new = os.urandom(24).hex()
    if traceparent and is_valid(traceparent):
        return f"00-{trace_id(traceparent)}-{new[32:]}-{traceparent[53:55]}"
    return f"00-{new[:32]}-{new[32:]}-01"


def trace_id(traceparent: str) -> str:
    """The 32 hexadecimal digits that all parts of one trace share: the correlation id."""
    return traceparent[3:35]
