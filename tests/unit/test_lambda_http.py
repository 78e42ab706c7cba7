"""HTTP events of Lambda, payload format 2.0; tests/unit/test_lambda_rest.py has format 1.0."""

from base64 import b64encode
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from functions.shared.http.client_address import TrustedProxies
from infra.aws.asgi import AppRequest, AppResponse
from infra.aws.dispatch import UnknownEvent, dispatch
from tests.support.drivers.api_gateway import event_of, response_of

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
XRAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a:0"


def request_of(event: dict[str, Any], xray: str = "") -> AppRequest:
    """The request that an event becomes."""
    requests: list[AppRequest] = []

    def send(request: AppRequest) -> AppResponse:
        requests.append(request)
        return AppResponse(204, [], b"")

    dispatch(event, send, xray)
    return requests[0]


def event(path: str = "/", method: str = "GET", **more: Any) -> dict[str, Any]:
    """An event without a body; `more` replaces its members."""
    return event_of(httpx.Request(method, f"https://api.example{path}"), b"") | more


def headers(request: AppRequest) -> dict[str, str]:
    """The headers of a request."""
    return {name.decode(): value.decode("latin-1") for name, value in request.headers}


def caller(request: AppRequest) -> str:
    """The address that is the caller's for the rate limit."""
    scope = {"type": "http", "headers": request.headers, "client": (request.client, 0)}
    return TrustedProxies().client_address(Request(scope))


@pytest.mark.parametrize(
    ("raw", "stage", "path"),
    [
        ("/events", "$default", "/events"),
        ("/prod/events", "prod", "/events"),
        ("/prod", "prod", "/"),
        ("/production/events", "prod", "/production/events"),
        ("/prod/prod", "prod", "/prod"),
        ("/highlights/%C3%A9", "$default", "/highlights/é"),
        ("", "$default", "/"),
    ],
)
def test_the_path_is_without_the_stage(raw: str, stage: str, path: str) -> None:
    """Whether the stage has a name or not; it is decoded."""
    made = event(rawPath=raw)
    made["requestContext"]["stage"] = stage
    assert request_of(made).path == path


@pytest.mark.parametrize(("stage", "expected"), [("$default", "/a"), ("prod", "/prod/a")])
def test_a_location_gets_the_prefix_of_the_callers_url(stage: str, expected: str) -> None:
    """The stage, if it has a name."""
    made = event_of(httpx.Request("POST", "https://x/events"), b"", stage=stage)
    response = dispatch(made, lambda _: AppResponse(202, [(b"location", b"/a")], b""))
    assert response["headers"]["location"] == expected


def test_the_query_is_unchanged() -> None:
    """It is not parsed and encoded again."""
    query = "a=1&a=2&b=%2B+%C3%A9&c&=;x"
    assert request_of(event(rawQueryString=query)).query == query.encode()


@given(st.binary(max_size=200))
def test_any_request_body_is_unchanged(body: bytes) -> None:
    """As text or as base64."""
    for content_type in ("application/json", "application/octet-stream"):
        request = httpx.Request("POST", "https://x/", headers={"Content-Type": content_type})
        assert request_of(event_of(request, body)).body == body


@given(st.binary(max_size=200))
def test_any_response_body_is_unchanged(body: bytes) -> None:
    """As text or as base64."""
    reply = AppResponse(200, [], body)
    assert response_of(dispatch(event(), lambda _: reply)).read() == body


def test_the_response_to_head_has_headers_but_no_body() -> None:
    """Those that GET would have."""
    reply = AppResponse(200, [(b"content-length", b"4"), (b"etag", b'"x"')], b"body")
    response = dispatch(event(method="HEAD"), lambda _: reply)
    assert response["body"] == ""
    assert response["headers"] == {"content-length": "4", "etag": '"x"'}


def test_repeated_headers_are_joined_and_cookies_are_not() -> None:
    """Cookies have a list of their own, both ways."""
    reply_headers = [
        (b"Link", b"<a>"),
        (b"link", b"<b>"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b"),
    ]
    response = dispatch(event(), lambda _: AppResponse(200, reply_headers, b""))
    assert response["headers"] == {"link": "<a>, <b>"}
    assert response["cookies"] == ["a=1", "b"]
    assert headers(request_of(event(cookies=["a=1", "b=2"])))["cookie"] == "a=1; b=2"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::/64"),
        ("[2001:db8::7]:4711", "2001:db8::/64"),
    ],
)
def test_the_caller_is_the_address_that_the_gateway_saw(source: str, expected: str) -> None:
    """Whatever X-Forwarded-For says, and without the port."""
    made = event(headers={"X-Forwarded-For": "203.0.113.1, 203.0.113.2"})
    made["requestContext"]["http"]["sourceIp"] = source
    assert caller(request_of(made)) == expected


@pytest.mark.parametrize(
    ("own", "xray", "trace"),
    [
        ({"traceparent": TRACE}, XRAY, TRACE),
        ({}, XRAY, "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"),
        ({"traceparent": "no"}, XRAY, "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"),
        (
            {},
            XRAY.replace("=1;L", "=0;L"),
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00",
        ),
        ({}, "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000", None),
        ({}, "Root=2-5759e988-bd862e3fe1be46a994272793", None),
        ({}, "", None),
    ],
)
def test_the_callers_trace_is_continued_or_else_that_of_lambda(
    own: dict[str, str], xray: str, trace: str | None
) -> None:
    """A traceparent that is not valid is ignored."""
    assert headers(request_of(event(headers=own), xray)).get("traceparent") == trace


def test_a_trace_without_a_span_gets_one() -> None:
    """API Gateway begins a trace with only its root."""
    made = headers(request_of(event(headers={}), "Root=1-5759e988-bd862e3fe1be46a994272793"))
    assert made["traceparent"].startswith("00-5759e988bd862e3fe1be46a994272793-")


@pytest.mark.parametrize("unknown", [{}, [], None, {"version": "1.0", "httpMethod": "GET"}])
def test_an_event_of_an_unknown_kind_is_an_error(unknown: object) -> None:
    """So that a wrong trigger is noticed."""
    with pytest.raises(UnknownEvent):
        dispatch(unknown, lambda _: AppResponse(200, [], b""))


def test_a_base64_body_is_decoded() -> None:
    """API Gateway sends binary bodies so."""
    body = b64encode(b"\xff").decode()
    assert request_of(event(body=body, isBase64Encoded=True)).body == b"\xff"
