"""HTTP events of Lambda, payload format 1.0: of a REST API."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.aws.asgi import AppResponse
from infra.aws.dispatch import dispatch
from tests.support.drivers.api_gateway import rest_event_of, rest_response_of
from tests.unit.test_lambda_http import TRACE, XRAY, caller, headers, request_of


def event(path: str = "/", method: str = "GET", **more: Any) -> dict[str, Any]:
    """An event without a body; `more` replaces its members."""
    return rest_event_of(httpx.Request(method, f"https://api.example{path}"), b"") | more


def test_the_path_is_without_the_stage() -> None:
    """The event has it so; the stage is only in its context."""
    made = event("/highlights/%C3%A9")
    assert made["requestContext"]["path"].startswith("/live/")
    request = request_of(made)
    assert (request.method, request.path) == ("GET", "/highlights/é")
    assert request_of(event() | {"path": None}).path == "/"


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.lists(st.text(max_size=5), min_size=1)))
def test_a_query_keeps_its_meaning(query: dict[str, list[str]]) -> None:
    """API Gateway parses and decodes it; here it is encoded again."""
    request = request_of(event(multiValueQueryStringParameters=query))
    assert httpx.QueryParams(request.query.decode()) == httpx.QueryParams(query)


def test_without_a_query_or_headers_there_are_none() -> None:
    """API Gateway sends null for an empty object."""
    request = request_of(event(multiValueQueryStringParameters=None, multiValueHeaders=None))
    assert request.query == b""
    assert [name for name, _ in request.headers] == [b"x-forwarded-for"]


@given(st.binary(max_size=200))
def test_any_body_is_unchanged_in_both_directions(body: bytes) -> None:
    """As text or as base64."""
    made = rest_event_of(httpx.Request("POST", "https://x/"), body)
    assert request_of(made).body == body
    response = dispatch(made, lambda _: AppResponse(200, [], body))
    assert rest_response_of(response).read() == body


def test_repeated_headers_are_kept() -> None:
    """In both directions, cookies or not."""
    own = {"If-None-Match": ['"a"', '"b"'], "Accept": ["*/*"]}
    request = request_of(event(multiValueHeaders=own))
    assert [value for name, value in request.headers if name == b"if-none-match"] == [
        b'"a"',
        b'"b"',
    ]
    reply_headers = [(b"Link", b"<a>"), (b"link", b"<b>"), (b"set-cookie", b"a=1")]
    response = dispatch(event(), lambda _: AppResponse(200, reply_headers, b""))
    assert response["multiValueHeaders"] == {"link": ["<a>", "<b>"], "set-cookie": ["a=1"]}


@pytest.mark.parametrize(
    ("full_path", "expected"),
    [("/live/events", "/live/highlights/1"), ("/events", "/highlights/1"), ("/", "/highlights/1")],
)
def test_a_location_gets_the_prefix_of_the_callers_url(full_path: str, expected: str) -> None:
    """The stage, which the function does not know, but not with a domain of its own."""
    made = event("/events")
    made["requestContext"]["path"] = full_path
    reply = AppResponse(202, [(b"Location", b"/highlights/1"), (b"Link", b"</a>")], b"")
    response = dispatch(made, lambda _: reply)
    assert response["multiValueHeaders"] == {"location": [expected], "link": ["</a>"]}
    absolute = AppResponse(202, [(b"location", b"https://a.example/highlights/1")], b"")
    response = dispatch(made, lambda _: absolute)
    assert response["multiValueHeaders"]["location"] == ["https://a.example/highlights/1"]


def test_the_response_to_head_has_headers_but_no_body() -> None:
    """Those that GET would have."""
    reply = AppResponse(200, [(b"content-length", b"4")], b"body")
    response = dispatch(event(method="HEAD"), lambda _: reply)
    assert response["body"] == ""
    assert response["multiValueHeaders"] == {"content-length": ["4"]}


@pytest.mark.parametrize(
    ("source", "counted"), [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "2001:db8::/64")]
)
def test_the_caller_is_the_address_that_the_gateway_saw(source: str, counted: str) -> None:
    """Whatever X-Forwarded-For says; for IPv6 the subnet counts."""
    made = event(multiValueHeaders={"X-Forwarded-For": ["203.0.113.1", "203.0.113.2"]})
    made["requestContext"]["identity"]["sourceIp"] = source
    assert caller(request_of(made)) == counted


def test_the_callers_trace_is_continued_or_else_that_of_lambda() -> None:
    """As with any other event."""
    own = event(multiValueHeaders={"traceparent": [TRACE]})
    assert headers(request_of(own, XRAY))["traceparent"] == TRACE
    made = headers(request_of(event(), XRAY))["traceparent"]
    assert made.startswith("00-5759e988bd862e3fe1be46a994272793-")
