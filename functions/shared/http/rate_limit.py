"""The rate limit of each caller, counted in this process."""

import math
from collections.abc import Callable

from starlette.requests import Request

from functions.shared.http.client_address import TrustedProxies
from functions.shared.http.problems import Problem
from functions.shared.http.settings import AccessSettings
from functions.shared.http.token_buckets import TokenBuckets

Clock = Callable[[], float]

# The policy's name in RateLimit and RateLimit-Policy: q requests at once, again after w seconds.
# https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
POLICY = "caller"


class RateLimiter:
    """Limits the requests a second of each caller."""

    def __init__(self, settings: AccessSettings, clock: Clock) -> None:
        burst = settings.rate_limit_burst or max(1, 2 * settings.rate_limit)
        self._buckets = TokenBuckets(settings.rate_limit, burst, clock)
        self._policy = f'"{POLICY}";q={burst:g};w={math.ceil(burst / settings.rate_limit)}'
        self._proxies = TrustedProxies(settings.trusted_proxies)

    def count(self, caller: str | bytes) -> None:
        """Count a request of a caller; raise a Problem, 429, if it is over the limit."""
        self._refuse(self._buckets.take(caller))

    def count_address(self, request: Request) -> None:
        """Count a request by its client's address; raise as `count` does."""
        self.count(self._proxies.client_address(request))

    def check_address(self, request: Request) -> None:
        """Raise the Problem that `count_address` would raise, and count nothing."""
        self._refuse(self._buckets.seconds_to_token(self._proxies.client_address(request)))

    def _refuse(self, wait_s: float) -> None:
        if wait_s:
            seconds = math.ceil(wait_s)
            raise Problem(
                429,
                "There are more requests than one caller may send.",
                headers={
                    "Retry-After": str(seconds),
                    "RateLimit-Policy": self._policy,
                    "RateLimit": f'"{POLICY}";r=0;t={seconds}',
                },
            )
