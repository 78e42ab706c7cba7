"""How long to wait before trying again."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_RETRY_AFTER_S = 300.0
DOUBLINGS = 32  # beyond any sensible bound, and far from a float's overflow


def full_jitter(
    tries: int, initial_s: float, longest_s: float, chance: Callable[[], float] = random.random
) -> float:
    """Seconds before the next try: anything up to a bound that doubles with each try.

    `chance` gives a number from 0 to 1. Waits spread over all of the range, since those that
    failed together would otherwise come back together.
    """
    bound = initial_s * 2.0 ** min(tries - 1, DOUBLINGS)
    return chance() * min(bound, longest_s)


def retry_after_s(header: str | None, now: datetime) -> float:
    """What a Retry-After header asks for (RFC 9110, 10.2.3), in seconds; nonsense asks nothing."""
    if not header:
        return 0.0
    if header.strip().isdecimal():
        return min(float(header), LONGEST_RETRY_AFTER_S)
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return 0.0
    seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)
