"""Token buckets: so many requests a second for each caller, and a burst at once."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

CALLERS = 10_000
# What is missing of a token for the rounding of floats alone; else who comes back exactly when
# told to could be sent away again.
ROUNDING = 1e-6


class TokenBuckets:
    """A bucket of `burst` tokens for each caller, filled at `rate` tokens a second.

    Of more than `callers` the one who has not come for the longest is forgotten, and starts with a
    full bucket again.
    """

    def __init__(
        self,
        rate: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        callers: int = CALLERS,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._callers = callers
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._buckets)

    def wait(self, caller: Hashable) -> float:
        """The seconds until the caller has a token; 0 when there is one."""
        return self._missing(self._tokens(caller, self._clock()))

    def take(self, caller: Hashable) -> float:
        """Take a token of the caller's; without one, the seconds until there is one."""
        now = self._clock()
        tokens = self._tokens(caller, now)
        missing = self._missing(tokens)
        if not missing:
            tokens -= 1
        self._buckets[caller] = tokens, now
        self._buckets.move_to_end(caller)
        if len(self._buckets) > self._callers:
            self._buckets.popitem(last=False)
        return missing

    def _tokens(self, caller: Hashable, now: float) -> float:
        tokens, at = self._buckets.get(caller, (self._burst, now))
        return min(self._burst, tokens + (now - at) * self._rate)

    def _missing(self, tokens: float) -> float:
        return 0.0 if tokens > 1 - ROUNDING else (1 - tokens) / self._rate
