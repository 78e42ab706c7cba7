"""Events of a REST API as requests, and answers as Lambda hands them back to it."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.aws.asgi import AppResponse
from infra.aws.dispatch import dispatch
from tests.support.drivers.api_gateway import rest_event_of, rest_response_of
from tests.unit.test_lambda_http import TRACE, XRAY, called, caller, headers


def event(path: str = "/", method: str = "GET", **more: Any) -> dict[str, Any]:
    """An event without a body; `more` replaces its members."""
    return rest_event_of(httpx.Request(method, f"https://api.example{path}"), b"") | more


def test_the_path_is_that_behind_the_stage() -> None:
    """The event tells it without; the stage is in its context alone."""
    made = event("/highlights/%C3%A9")
    assert made["requestContext"]["path"].startswith("/live/")
    call = called(made)
    assert (call.method, call.path) == ("GET", "/highlights/é")
    assert called(event() | {"path": None}).path == "/"


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.lists(st.text(max_size=5), min_size=1)))
def test_a_query_means_what_it_meant(query: dict[str, list[str]]) -> None:
    """API Gateway takes it apart, and decodes it: what each name says is put together again."""
    call = called(event(multiValueQueryStringParameters=query))
    assert httpx.QueryParams(call.query.decode()) == httpx.QueryParams(query)


def test_without_a_query_or_headers_there_are_none() -> None:
    """API Gateway says null for an empty object."""
    call = called(event(multiValueQueryStringParameters=None, multiValueHeaders=None))
    assert call.query == b""
    assert [name for name, _ in call.headers] == [b"x-forwarded-for"]


@given(st.binary(max_size=200))
def test_any_body_comes_in_as_it_was_sent_and_goes_out_as_it_was_answered(body: bytes) -> None:
    """As text or as base64."""
    made = rest_event_of(httpx.Request("POST", "https://x/"), body)
    assert called(made).body == body
    response = dispatch(made, lambda _: AppResponse(200, [], body))
    assert rest_response_of(response).read() == body


def test_headers_that_come_twice_stay_two() -> None:
    """Both ways, cookies or not."""
    brought = {"If-None-Match": ['"a"', '"b"'], "Accept": ["*/*"]}
    call = called(event(multiValueHeaders=brought))
    assert [value for name, value in call.headers if name == b"if-none-match"] == [b'"a"', b'"b"']
    answered = [(b"Link", b"<a>"), (b"link", b"<b>"), (b"set-cookie", b"a=1")]
    response = dispatch(event(), lambda _: AppResponse(200, answered, b""))
    assert response["multiValueHeaders"] == {"link": ["<a>", "<b>"], "set-cookie": ["a=1"]}


@pytest.mark.parametrize(
    ("whole", "told"),
    [("/live/events", "/live/highlights/1"), ("/events", "/highlights/1"), ("/", "/highlights/1")],
)
def test_a_location_leads_to_where_callers_reach_it(whole: str, told: str) -> None:
    """Behind the stage, which the function knows nothing of, or at a domain of one's own."""
    made = event("/events")
    made["requestContext"]["path"] = whole
    answer = AppResponse(202, [(b"Location", b"/highlights/1"), (b"Link", b"</a>")], b"")
    response = dispatch(made, lambda _: answer)
    assert response["multiValueHeaders"] == {"location": [told], "link": ["</a>"]}
    absolute = AppResponse(202, [(b"location", b"https://a.example/highlights/1")], b"")
    response = dispatch(made, lambda _: absolute)
    assert response["multiValueHeaders"]["location"] == ["https://a.example/highlights/1"]


def test_the_answer_to_head_has_no_body_but_its_headers() -> None:
    """Those that GET would have."""
    answer = AppResponse(200, [(b"content-length", b"4")], b"body")
    response = dispatch(event(method="HEAD"), lambda _: answer)
    assert response["body"] == ""
    assert response["multiValueHeaders"] == {"content-length": ["4"]}


@pytest.mark.parametrize(
    ("source", "counted"), [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "2001:db8::/64")]
)
def test_the_caller_is_whom_the_gateway_saw(source: str, counted: str) -> None:
    """Whatever the request says of itself; of IPv6 it is the subnet that counts."""
    made = event(multiValueHeaders={"X-Forwarded-For": ["203.0.113.1", "203.0.113.2"]})
    made["requestContext"]["identity"]["sourceIp"] = source
    assert caller(called(made)) == counted


def test_the_callers_trace_is_continued_or_else_that_of_lambda() -> None:
    """As with any other event."""
    brought = event(multiValueHeaders={"traceparent": [TRACE]})
    assert headers(called(brought, XRAY))["traceparent"] == TRACE
    made = headers(called(event(), XRAY))["traceparent"]
    assert made.startswith("00-5759e988bd862e3fe1be46a994272793-")
