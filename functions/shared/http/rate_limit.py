"""The rate limit of each caller, counted in this process."""

import math
from collections.abc import Callable, Mapping

from starlette.requests import Request

from functions.shared.http.client_address import TrustedProxies
from functions.shared.http.problems import Problem
from functions.shared.http.settings import AccessSettings
from functions.shared.http.token_buckets import TokenBuckets

Clock = Callable[[], float]
RateLimitFields = Mapping[str, str]

# The policy's name. RateLimit-Policy: q requests at once, again after w seconds. RateLimit: r of
# them are left, and t seconds later there is one more.
# https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
POLICY = "caller"


class RateLimiter:
    """Limits the requests a second of each caller."""

    def __init__(self, settings: AccessSettings, clock: Clock) -> None:
        burst = settings.rate_limit_burst or max(1, 2 * settings.rate_limit)
        self._buckets = TokenBuckets(settings.rate_limit, burst, clock)
        self._policy = f'"{POLICY}";q={burst:g};w={math.ceil(burst / settings.rate_limit)}'
        self._proxies = TrustedProxies(settings.trusted_proxies)

    def count(self, caller: str | bytes) -> RateLimitFields:
        """Count a request of a caller, and return the fields for its answer.

        Raises:
            Problem: 429, the caller is over the limit.
        """
        wait_s = self._buckets.take(caller)
        fields = self._fields(caller)
        if wait_s:
            raise _too_many_requests(wait_s, fields)
        return fields

    def count_address(self, request: Request) -> RateLimitFields:
        """Count a request by its client's address; return and raise as `count` does."""
        return self.count(self._proxies.client_address(request))

    def check_address(self, request: Request) -> None:
        """Raise the Problem that `count_address` would raise, and count nothing."""
        address = self._proxies.client_address(request)
        if wait_s := self._buckets.seconds_to_token(address):
            raise _too_many_requests(wait_s, self._fields(address))

    def _fields(self, caller: str | bytes) -> RateLimitFields:
        remaining, seconds = self._buckets.remaining(caller)
        return {
            "RateLimit-Policy": self._policy,
            "RateLimit": f'"{POLICY}";r={remaining};t={math.ceil(seconds)}',
        }


def _too_many_requests(wait_s: float, fields: RateLimitFields) -> Problem:
    return Problem(
        429,
        "There are more requests than one caller may send.",
        headers={"Retry-After": str(math.ceil(wait_s)), **fields},
    )
