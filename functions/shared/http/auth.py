"""Access to a function, and authentication of its callers by API keys."""

import hmac
import time
from hashlib import sha256

from starlette.requests import Request

from functions.shared.http.cache_control import cache_control
from functions.shared.http.cors import Cors
from functions.shared.http.headers import header
from functions.shared.http.problems import Problem
from functions.shared.http.rate_limit import Clock, RateLimiter, RateLimitFields
from functions.shared.http.routing import Admission, Guard
from functions.shared.http.settings import AccessSettings


def build_guard(settings: AccessSettings, clock: Clock = time.monotonic) -> Guard:
    """Return the guard that the settings ask for."""
    limiter = RateLimiter(settings, clock) if settings.rate_limit else None
    admit: Admission | None = limiter.count_address if limiter else None
    if settings.api_keys:
        admit = ApiKeyAuth(settings, limiter)
    cors = Cors(settings.cors_origins) if settings.cors_origins else None
    return Guard(admit, cors, cache_control(settings))


class ApiKeyAuth:
    """Admits requests that have one of the API keys.

    Requests without a valid key are counted by address. Where TRUSTED_PROXIES makes addresses
    distinct, one that is over the limit is refused whatever its key is: otherwise keys could be
    guessed at any speed. Where it does not, all callers behind a proxy may have one address, so a
    valid key is never refused for the invalid keys of others.
    """

    def __init__(self, settings: AccessSettings, limiter: RateLimiter | None) -> None:
        self._digests = [_digest(key.get_secret_value()) for key in settings.api_keys]
        self._limiter = limiter
        self._addresses_are_distinct = bool(settings.trusted_proxies)

    def __call__(self, request: Request) -> RateLimitFields:
        """Admit a request, and return what its answer says of the caller's limit.

        Raises:
            Problem: 401 without a valid key, 429 over the limit.
        """
        if self._limiter and self._addresses_are_distinct:
            self._limiter.check_address(request)
        digest = _digest(api_key_of(request))
        if not self._is_valid(digest):
            raise unauthorized(self._limiter.count_address(request) if self._limiter else {})
        return self._limiter.count(digest) if self._limiter else {}

    def _is_valid(self, digest: bytes) -> bool:
        # All keys are compared, so that the time does not depend on which one is valid.
        return sum(hmac.compare_digest(digest, valid) for valid in self._digests) > 0


def api_key_of(request: Request) -> str:
    """Return the key in `Authorization: Bearer`, or else in `X-Api-Key`; empty without one."""
    scheme, _, credentials = (header(request, b"authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return (header(request, b"x-api-key") or "").strip()


def unauthorized(fields: RateLimitFields) -> Problem:
    """Return the same 401 for a missing key as for an invalid one."""
    return Problem(
        401,
        "A valid API key is needed, as Authorization: Bearer <key> or X-Api-Key: <key>.",
        headers={"WWW-Authenticate": "Bearer", **fields},
    )


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()
