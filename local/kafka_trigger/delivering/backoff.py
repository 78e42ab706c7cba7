"""The waits before a request is made again."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_S = 300.0
MAX_DOUBLINGS = 32  # beyond any sensible limit, and far from a float's overflow


def full_jitter(
    failures: int, initial_s: float, max_s: float, chance: Callable[[], float] = random.random
) -> float:
    """Return a random number of seconds, up to a limit that doubles with each failure.

    `chance` returns a number from 0 to 1. Waits are spread over the whole range, because clients
    that failed together would otherwise come back together.
    """
    limit_s = initial_s * 2.0 ** min(failures - 1, MAX_DOUBLINGS)
    return chance() * min(limit_s, max_s)


def retry_after_s(header: str | None, now: datetime) -> float:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3).

    At most MAX_RETRY_AFTER_S, and 0 if there is none or it cannot be parsed.
    """
    if not header:
        return 0.0
    if header.strip().isdecimal():
        return min(float(header), MAX_RETRY_AFTER_S)
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return 0.0
    seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
