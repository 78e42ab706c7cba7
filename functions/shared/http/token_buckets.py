"""Token buckets: a rate of requests for each caller, and a burst at once."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

MAX_CALLERS = 10_000
# A token that lacks no more than this is whole. Otherwise the rounding of floats could refuse a
# caller that comes back exactly when it was told to.
ROUNDING = 1e-6


class TokenBuckets:
    """A bucket of `burst` tokens for each caller, filled at `rate` tokens a second.

    Of more than `max_callers` the least recent one is forgotten, and starts with a full bucket
    again.
    """

    def __init__(
        self,
        rate: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        max_callers: int = MAX_CALLERS,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._max_callers = max_callers
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._buckets)

    def seconds_to_token(self, caller: Hashable) -> float:
        """Return the seconds until the caller has a token; 0 if it has one."""
        return self._seconds_to_token(self._tokens(caller, self._clock()))

    def remaining(self, caller: Hashable) -> tuple[int, float]:
        """Return how many whole tokens the caller has, and the seconds until it has one more."""
        tokens = self._tokens(caller, self._clock())
        whole = int(tokens + ROUNDING)
        return whole, (whole + 1 - tokens) / self._rate

    def take(self, caller: Hashable) -> float:
        """Take a token of the caller and return 0, or the seconds until there is one."""
        now = self._clock()
        tokens = self._tokens(caller, now)
        wait_s = self._seconds_to_token(tokens)
        if not wait_s:
            tokens -= 1
        self._buckets[caller] = tokens, now
        self._buckets.move_to_end(caller)
        if len(self._buckets) > self._max_callers:
            self._buckets.popitem(last=False)
        return wait_s

    def _tokens(self, caller: Hashable, now: float) -> float:
        tokens, updated_at = self._buckets.get(caller, (self._burst, now))
        return min(self._burst, tokens + (now - updated_at) * self._rate)

    def _seconds_to_token(self, tokens: float) -> float:
        return 0.0 if tokens > 1 - ROUNDING else (1 - tokens) / self._rate
