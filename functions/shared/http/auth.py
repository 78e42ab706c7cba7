"""Who may send requests, and how many: API keys, and a limit for each caller."""

import hmac
import math
import time
from collections.abc import Callable
from hashlib import sha256

from starlette.requests import Request

from functions.shared.http.client_address import ClientAddress
from functions.shared.http.problems import Problem
from functions.shared.http.routing import Admit, header
from functions.shared.http.settings import AccessSettings
from functions.shared.http.token_buckets import TokenBuckets

Clock = Callable[[], float]

# Of the fields RateLimit and RateLimit-Policy: so many requests at once (q), again after w seconds.
# https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
POLICY = "caller"


def build_guard(settings: AccessSettings, clock: Clock = time.monotonic) -> Admit | None:
    """What admits a request or raises the Problem that refuses it; None when all are welcome."""
    limit = RateLimiter(settings, clock) if settings.rate_limit else None
    if settings.api_keys:
        return ApiKeyAuth(settings, limit)
    return limit.by_address if limit else None


class RateLimiter:
    """So many requests a second for each caller, counted in this process."""

    def __init__(self, settings: AccessSettings, clock: Clock) -> None:
        burst = settings.rate_limit_burst or max(1, 2 * settings.rate_limit)
        self._buckets = TokenBuckets(settings.rate_limit, burst, clock)
        self._policy = f'"{POLICY}";q={burst:g};w={math.ceil(burst / settings.rate_limit)}'
        self._address = ClientAddress(settings.trusted_proxies)

    def count(self, caller: str | bytes) -> None:
        """Count a request of a caller's; raises a Problem, 429, when there are too many."""
        self._refuse(self._buckets.take(caller))

    def by_address(self, request: Request) -> None:
        """Count a request as one of its address."""
        self.count(self._address.of(request))

    def check_address(self, request: Request) -> None:
        """Raise the Problem that `by_address` would raise, and count nothing."""
        self._refuse(self._buckets.wait(self._address.of(request)))

    def _refuse(self, wait: float) -> None:
        if wait:
            seconds = math.ceil(wait)
            raise Problem(
                429,
                "There are more requests than one caller may send.",
                headers={
                    "Retry-After": str(seconds),
                    "RateLimit-Policy": self._policy,
                    "RateLimit": f'"{POLICY}";r=0;t={seconds}',
                },
            )


class ApiKeyAuth:
    """Admits who brings one of the keys.

    Who does not is counted by address. Where TRUSTED_PROXIES says how to tell addresses apart, one
    that is over the limit is refused whatever it brings: otherwise a right guess would tell itself
    from the wrong ones at any speed. Where it does not, a proxy before the gateway would make all
    callers one address, so a right key is never refused for others' wrong ones.
    """

    def __init__(self, settings: AccessSettings, limit: RateLimiter | None) -> None:
        self._digests = [_digest(key.get_secret_value()) for key in settings.api_keys]
        self._limit = limit
        self._tells_addresses_apart = bool(settings.trusted_proxies)

    def __call__(self, request: Request) -> None:
        """Let a request pass, or raise a Problem: 401 without a right key, 429 when too many."""
        if self._limit and self._tells_addresses_apart:
            self._limit.check_address(request)
        digest = _digest(api_key_of(request))
        if not self._is_known(digest):
            if self._limit:
                self._limit.by_address(request)
            raise unauthorized()
        if self._limit:
            self._limit.count(digest)

    def _is_known(self, digest: bytes) -> bool:
        # All are compared, so that the time it takes says nothing of which one is right.
        return sum(hmac.compare_digest(digest, known) for known in self._digests) > 0


def api_key_of(request: Request) -> str:
    """The key of `Authorization: Bearer` or else of `X-Api-Key`; empty when there is none."""
    scheme, _, credentials = (header(request, b"authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return (header(request, b"x-api-key") or "").strip()


def unauthorized() -> Problem:
    """No key, or a wrong one; which of the two is not told."""
    return Problem(
        401,
        "A valid API key is needed, as Authorization: Bearer <key> or X-Api-Key: <key>.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()
