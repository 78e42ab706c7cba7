"""W3C trace context: the correlation id of an event, from its POST to its row.

https://www.w3.org/TR/trace-context/
"""

import os
import re
from contextvars import ContextVar

TRACEPARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}"
    r"(?P<added>-.*)?"  # a later version may append more, which is ignored
)
TRACEPARENT_LENGTH = 55  # characters of a traceparent that this version reads

current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def is_valid(traceparent: str) -> bool:
    """Return whether a header's value is a traceparent that may be continued."""
    match = TRACEPARENT.fullmatch(traceparent)
    if match is None or match["version"] == "ff" or (match["version"] == "00" and match["added"]):
        return False
    return bool(match["trace"].strip("0") and match["span"].strip("0"))


def continue_trace(traceparent: str | None) -> str:
    """Return a traceparent with a new span, of the caller's trace or else of a new one."""
    random = os.urandom(24).hex()
    if traceparent and is_valid(traceparent):
        return f"00-{trace_id(traceparent)}-{random[32:]}-{traceparent[53:55]}"
    return f"00-{random[:32]}-{random[32:]}-01"


def trace_id(traceparent: str) -> str:
    """Return the trace id of a traceparent, 32 hexadecimal digits: the correlation id."""
    return traceparent[3:35]
