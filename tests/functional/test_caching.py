"""Cache-Control: who may keep the answers of the functions that people call, and for how long."""

import pytest

from tests.functional.test_auth import BEARER, KEYS, LIMIT, PUBLIC, PublicFunction

READS = PUBLIC[2:]
SHARED = {"CACHE_S_MAXAGE_S": "2"}
each_read = pytest.mark.parametrize(
    "public", READS, ids=lambda public: f"{public.method} {public.path}"
)


def directives(public: PublicFunction, environ: dict[str, str]) -> set[str]:
    """Return the directives of a 200, which are also those of a 304."""
    client = public.client(environ)
    full = public.send(client, **BEARER)
    again = public.send(client, **BEARER, **{"If-None-Match": full.headers["etag"]})
    assert (full.status_code, again.status_code) == (200, 304)
    assert full.headers["cache-control"] == again.headers["cache-control"]
    return set(full.headers["cache-control"].split(", "))


@each_read
def test_by_default_a_cache_asks_each_time(public: PublicFunction) -> None:
    """No reader sees a page as it was before a change that it knows of."""
    assert directives(public, {}) == {"no-cache"}


@each_read
@pytest.mark.parametrize("environ", [KEYS, KEYS | SHARED], ids=["keys", "keys and a cache"])
def test_what_needs_a_key_is_kept_by_no_shared_cache(
    public: PublicFunction, environ: dict[str, str]
) -> None:
    """Whichever header the key is in: caches know that only of Authorization."""
    assert directives(public, environ) == {"private", "no-cache"}


@each_read
def test_open_answers_may_be_kept_by_a_shared_cache(public: PublicFunction) -> None:
    """A browser asks; a shared cache keeps them, and asks while it still answers."""
    found = directives(public, SHARED)
    assert {"max-age=0", "s-maxage=2", "stale-while-revalidate=2"} <= found
    assert "no-cache" not in found
    assert "private" not in found


@pytest.mark.parametrize("environ", [{}, SHARED, KEYS | LIMIT | SHARED], ids=str)
def test_no_cache_keeps_an_error(environ: dict[str, str]) -> None:
    """It may be over a moment later."""
    client = PUBLIC[2].client(environ)
    paths = ["/highlights?page=x", "/nowhere", "/highlights?page=x", "/highlights?page=x"]
    errors = [client.get(path) for path in paths]
    assert {error.status_code for error in errors} <= {400, 401, 404, 429}
    assert {error.headers["cache-control"] for error in errors} == {"no-store"}


def test_an_accepted_event_says_nothing_of_caches() -> None:
    """No cache keeps the answer to a POST."""
    assert "cache-control" not in PUBLIC[0].send(PUBLIC[0].client(SHARED)).headers
