"""Pages of other origins: CORS headers, preflights, and OPTIONS."""

import pytest

from functions.get_highlight.app import build_app
from tests.functional.test_auth import BEARER, KEYS, LIMIT, PUBLIC, PublicFunction, each
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeStore

PAGE, OTHER_PAGE, STRANGER = "https://app.example", "http://localhost:3000", "https://evil.example"
ANY = {"CORS_ORIGINS": "*"}
ONE = {"CORS_ORIGINS": PAGE}
SEVERAL = {"CORS_ORIGINS": f"{PAGE} {OTHER_PAGE}"}
EXPOSED = {
    "ETag", "Link", "Location", "Retry-After", "X-Correlation-Id", "X-Cache", "RateLimit",
    "RateLimit-Policy",
}  # fmt: skip
SENT = {
    "Authorization", "X-Api-Key", "Content-Type", "Content-Encoding", "Idempotency-Key",
    "If-None-Match", "Last-Event-ID", "traceparent", "tracestate",
}  # fmt: skip
LIST = PUBLIC[2]


def names(value: str) -> set[str]:
    """Return the names in a header's value."""
    return set(value.split(", "))


def preflight(client: Client, path: str, method: str, origin: str = PAGE) -> dict[str, str]:
    """Return the headers of a preflight's answer, which is always a 204 without content."""
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    response = client.request("OPTIONS", path, headers=asked)
    assert (response.status_code, response.content) == (204, b"")
    return dict(response.headers)


def cors(headers: dict[str, str]) -> dict[str, str]:
    """Return those headers that CORS is about."""
    return {k: v for k, v in headers.items() if k.startswith("access-control-") or k == "vary"}


@each
def test_by_default_no_page_of_another_origin_is_allowed(public: PublicFunction) -> None:
    """And no answer depends on the origin."""
    client = public.client({})
    assert cors(dict(public.send(client, Origin=PAGE).headers)) == {}
    assert cors(preflight(client, public.path, public.method)) == {}


@each
@pytest.mark.parametrize(("environ", "origin"), [(ANY, "*"), (ONE, PAGE)], ids=["any", "one"])
def test_with_one_value_all_answers_are_alike(
    public: PublicFunction, environ: dict[str, str], origin: str
) -> None:
    """So that caches need not tell pages apart, whoever asks first."""
    client = public.client(environ)
    for headers in ({}, {"Origin": PAGE}, {"Origin": STRANGER}, {"Origin": "null"}):
        response = public.send(client, **headers)
        assert response.status_code == public.status
        assert response.headers["access-control-allow-origin"] == origin
        assert names(response.headers["access-control-expose-headers"]) == EXPOSED
        assert "vary" not in response.headers


@each
def test_with_several_origins_an_answer_is_for_the_one_that_asks(public: PublicFunction) -> None:
    """Others get the answer without leave to read it; caches are told, whoever asks."""
    client = public.client(SEVERAL)
    for origin in (PAGE, OTHER_PAGE):
        response = public.send(client, Origin=origin)
        assert response.headers["access-control-allow-origin"] == origin
        assert names(response.headers["access-control-expose-headers"]) == EXPOSED
        assert response.headers["vary"] == "Origin"
    for headers in ({}, {"Origin": STRANGER}, {"Origin": "null"}, {"Origin": f"{PAGE}.evil"}):
        assert cors(dict(public.send(client, **headers).headers)) == {"vary": "Origin"}


@each
def test_a_preflight_allows_what_a_page_may_send(public: PublicFunction) -> None:
    """Without a key, which browsers do not send with it; no cookie is ever allowed."""
    headers = preflight(public.client(KEYS | ONE), public.path, public.method)
    assert headers["access-control-allow-origin"] == PAGE
    assert public.method in names(headers["access-control-allow-methods"])
    assert names(headers["access-control-allow-headers"]) == SENT
    assert int(headers["access-control-max-age"]) >= 600
    assert "access-control-allow-credentials" not in headers


def test_a_preflight_of_another_origin_is_not_allowed() -> None:
    """The browser then sends no request."""
    headers = preflight(LIST.client(SEVERAL), LIST.path, "GET", STRANGER)
    assert "access-control-allow-origin" not in headers
    assert headers["vary"] == "Origin"


def test_preflights_do_not_count_as_requests() -> None:
    """A page would otherwise have half of the limit."""
    client = LIST.client(LIMIT | ANY)
    for _ in range(5):
        preflight(client, LIST.path, "GET")
    assert LIST.send(client).status_code == 200


@pytest.mark.parametrize("environ", [{}, ANY, SEVERAL | KEYS], ids=["default", "any", "keys"])
@pytest.mark.parametrize(
    ("public", "path", "allowed"),
    [
        (PUBLIC[0], "/events", "POST, OPTIONS"),
        (PUBLIC[1], "/events/batch", "POST, OPTIONS"),
        (LIST, "/highlights", "GET, HEAD, OPTIONS"),
        (PUBLIC[4], "/highlights/x", "GET, HEAD, OPTIONS"),
        (LIST, "/health", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_name_the_methods_of_a_path(
    public: PublicFunction, path: str, allowed: str, environ: dict[str, str]
) -> None:
    """For every path that is served, and for no other."""
    client = public.client(environ)
    response = client.request("OPTIONS", path)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == allowed
    assert client.request("OPTIONS", "/nowhere").status_code == 404
    refused = client.request("DELETE", path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allowed)


def test_a_page_can_read_every_error() -> None:
    """Without the headers a browser tells it only that something failed."""
    client = LIST.client(KEYS | LIMIT | SEVERAL)
    here = {"Origin": PAGE}
    responses = [
        client.get("/highlights", headers=here),
        client.get("/highlights?page=x", headers=here | BEARER),
        client.get("/nowhere", headers=here),
        client.request("PUT", "/highlights", headers=here),
        *(client.get("/highlights", headers=here | BEARER) for _ in range(2)),
    ]
    assert [each.status_code for each in responses] == [401, 400, 404, 405, 200, 429]
    assert {each.headers["access-control-allow-origin"] for each in responses} == {PAGE}
    assert all(
        names(each.headers["access-control-expose-headers"]) == EXPOSED for each in responses
    )


def test_a_page_can_read_that_the_database_is_away() -> None:
    """And when to try again."""
    store = FakeStore()
    store.away = True
    client = Client(build_app(lambda: store, LIST.guard(ANY)))
    response = client.get(PUBLIC[4].path, headers={"Origin": PAGE})
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.headers["access-control-allow-origin"] == "*"


def test_a_304_has_the_headers_too() -> None:
    """A browser takes them over into the answer that it has."""
    client = LIST.client(SEVERAL)
    tag = LIST.send(client).headers["etag"]
    response = LIST.send(client, Origin=PAGE, **{"If-None-Match": tag})
    assert response.status_code == 304
    assert response.headers["access-control-allow-origin"] == PAGE
    assert response.headers["vary"] == "Origin"
