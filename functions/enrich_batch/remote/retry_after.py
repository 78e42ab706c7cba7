"""The header Retry-After."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_S = 3600.0
SECONDS = re.compile("[0-9]{1,9}")


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Return the seconds that the header asks for, as a number or a date (RFC 9110, 10.2.3).

    At most MAX_RETRY_AFTER_S; None if there is none, or it cannot be parsed.
    """
    text = (header or "").strip()
    if SECONDS.fullmatch(text):
        return min(float(text), MAX_RETRY_AFTER_S)
    try:
        date = parsedate_to_datetime(text)
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
