"""W3C trace context: the correlation id that follows an event from the POST to the row.

https://www.w3.org/TR/trace-context/
"""

import os
import re
from contextvars import ContextVar

TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", re.ASCII)

current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def is_valid(traceparent: str) -> bool:
    """Whether a header's text is a traceparent that may be continued."""
    match = TRACEPARENT.fullmatch(traceparent)
    return bool(
        match and not traceparent.startswith("ff") and match[1].strip("0") and match[2].strip("0")
    )


def continued(traceparent: str | None) -> str:
    """The caller's trace with a span of our own, or a new trace if there is none to continue."""
    new = os.urandom(24).hex()
    if traceparent and is_valid(traceparent):
        return f"00-{trace_id(traceparent)}-{new[32:]}-{traceparent[53:55]}"
    return f"00-{new[:32]}-{new[32:]}-01"


def trace_id(traceparent: str) -> str:
    """The 32 hexadecimal digits that all parts of one trace share: the correlation id."""
    return traceparent[3:35]
