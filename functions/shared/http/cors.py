"""Cross-origin resource sharing: whether pages of other origins may use a function.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Mapping, Sequence

from starlette.requests import Request

from functions.shared.http.headers import header

ANY = "*"
# Chromium keeps the answer to a preflight no longer.
MAX_AGE_S = 7200
READABLE_HEADERS = (
    b"ETag, Link, Location, Retry-After, X-Correlation-Id, X-Cache, RateLimit, RateLimit-Policy"
)
REQUEST_HEADERS = (
    "Authorization, X-Api-Key, Content-Type, Content-Encoding, Idempotency-Key, If-None-Match,"
    " Last-Event-ID, traceparent, tracestate"
)

RawHeaders = Sequence[tuple[bytes, bytes]]


class Cors:
    """Makes the CORS headers of answers for pages of one or more origins, or of any (`*`).

    No answer allows credentials: a key is in a header that the page itself sets, never in a cookie.
    With one origin, or `*`, all answers have the same headers. With several the answer depends on
    the request's Origin, and `Vary` says so to caches.
    """

    def __init__(self, origins: Sequence[str]) -> None:
        vary = [(b"vary", b"Origin")] if len(origins) > 1 else []
        self._by_origin = {origin: [*_allow(origin), *vary] for origin in origins}
        self._otherwise: RawHeaders = vary or self._by_origin[origins[0]]

    def headers(self, request: Request) -> RawHeaders:
        """Return the headers of every answer to a request, an error's too."""
        return self._by_origin.get(header(request, b"origin") or "", self._otherwise)

    @staticmethod
    def preflight_headers(methods: str) -> Mapping[str, str]:
        """Return the further headers by which an answer to OPTIONS allows these methods."""
        return {
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": REQUEST_HEADERS,
            "Access-Control-Max-Age": str(MAX_AGE_S),
        }


def _allow(origin: str) -> RawHeaders:
    return [
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-expose-headers", READABLE_HEADERS),
    ]
