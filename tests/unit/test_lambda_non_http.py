"""Kafka's events and schedules on Lambda: their requests, results and retries."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from functions.shared.concurrency import pending_work
from functions.shared.inbound.envelopes import batch_response, parse_envelope
from functions.shared.inbound.received_record import ReceivedRecord, RejectedRecord
from infra.aws.asgi import AppRequest, AppResponse, AppRunner
from infra.aws.dispatch import dispatch
from infra.aws.non_http_event import EventNotProcessed
from local.kafka_trigger.envelopes.lambda_event import LambdaEvent
from tests.support.builders.records import TOPIC, record

SCHEDULES = [
    {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
    {"version": "0", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"},
]
XRAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def kafka_event(source: str = "SelfManagedKafka") -> dict[str, Any]:
    """An event with records of two partitions."""
    encode = LambdaEvent("broker:9092")
    event = orjson.loads(encode([record(offset, b'{"n": 1}') for offset in (1, 2, 5)]).body)
    other = orjson.loads(encode([record(9, b"", partition=1)]).body)
    return {**event, "eventSource": source, "records": event["records"] | other["records"]}


def replying(response: AppResponse, requests: list[AppRequest] | None = None) -> Any:
    """An app that always gives this response."""

    def send(request: AppRequest) -> AppResponse:
        if requests is not None:
            requests.append(request)
        return response

    return send


@pytest.mark.parametrize("source", ["aws:kafka", "SelfManagedKafka"])
def test_the_records_of_all_partitions_reach_the_function_in_order(source: str) -> None:
    """In one request, as from a trigger, in the trace of the invocation."""
    requests: list[AppRequest] = []
    dispatch(kafka_event(source), replying(AppResponse(200, [], b"{}"), requests), XRAY)
    [request] = requests
    headers = Request({"type": "http", "headers": request.headers}).headers
    identifiers = [each.identifier for each in parse_envelope(headers, request.body)]
    expected = [(f"{TOPIC}-0", 1), (f"{TOPIC}-0", 2), (f"{TOPIC}-0", 5), (f"{TOPIC}-1", 9)]
    assert [(origin["partition"], origin["offset"]) for origin in identifiers if origin] == expected
    assert (request.method, request.path) == ("POST", "/")
    assert headers["traceparent"].startswith("00-5759e988bd862e3fe1be46a994272793-")


def test_the_failed_records_are_named_in_lambdas_format() -> None:
    """Topic, partition and offset, and nothing that Lambda does not know."""
    origin = {"partition": "matches-0", "offset": 2}
    failed = batch_response([RejectedRecord(ReceivedRecord(None, None, origin), "no event")])
    result = dispatch(kafka_event(), replying(AppResponse(200, [], orjson.dumps(failed))))
    assert result == {"batchItemFailures": [{"itemIdentifier": origin}]}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ready": 3}', b'{"batchItemFailures": []}'])
def test_without_failed_records_the_list_is_empty(body: bytes) -> None:
    """Whatever else the function's response contains."""
    assert dispatch(kafka_event(), replying(AppResponse(200, [], body))) == {
        "batchItemFailures": []
    }


@pytest.mark.parametrize("event", [kafka_event(), *SCHEDULES])
@pytest.mark.parametrize("status", [302, 400, 415, 422, 429, 500, 503])
def test_a_refused_event_raises_an_error(event: dict[str, Any], status: int) -> None:
    """So that Lambda retries it; the error quotes the response."""
    with pytest.raises(EventNotProcessed, match=f"HTTP {status}: because"):
        dispatch(event, replying(AppResponse(status, [], b"because")))


@pytest.mark.parametrize("event", SCHEDULES)
def test_a_schedule_is_a_post_whose_response_is_the_result(event: dict[str, Any]) -> None:
    """Of EventBridge rules, and of EventBridge Scheduler."""
    requests: list[AppRequest] = []
    assert dispatch(event, replying(AppResponse(200, [], b'{"ready":3}'), requests)) == {"ready": 3}
    assert (requests[0].method, requests[0].path) == ("POST", "/")


def test_requests_share_one_event_loop() -> None:
    """The second can use the clients of the first."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        loops.append(asyncio.get_running_loop())
        await Response("ok")(scope, receive, send)

    runner = AppRunner(app)
    assert [runner.request(AppRequest("GET", "/")).body for _ in range(2)] == [b"ok", b"ok"]
    runner.close()
    assert loops[0] is loops[1]


def test_a_request_waits_for_the_work_after_its_response() -> None:
    """Afterwards Lambda may freeze the process."""
    ended: list[str] = []

    def finish(end: pending_work.Work) -> None:
        ended.append("ended")
        end.set_result(None)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asyncio.get_running_loop().call_later(0.01, finish, pending_work.track())
        await Response("ok")(scope, receive, send)

    runner = AppRunner(app)
    runner.request(AppRequest("GET", "/"))
    runner.close()
    assert ended == ["ended"]


def test_the_app_receives_its_body_once_and_then_the_disconnect() -> None:
    """The disconnect comes when the response is complete."""
    received: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert await Request(scope, receive).body() == b"body"
        leaving = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not leaving.done()
        await _send_in_parts(send, [b"an ", b"answer"])
        received.append((await leaving)["type"])

    runner = AppRunner(app)
    assert runner.request(AppRequest("POST", "/", body=b"body")).body == b"an answer"
    runner.close()
    assert received == ["http.disconnect"]


async def _send_in_parts(send: Send, parts: Sequence[bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number, part in enumerate(parts, 1):
        more = number < len(parts)
        await send({"type": "http.response.body", "body": part, "more_body": more})
