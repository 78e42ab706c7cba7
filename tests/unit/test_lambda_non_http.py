"""Kafka's events and schedules on Lambda: what comes again, and how Lambda is told."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from functions.shared.concurrency import pending_work
from functions.shared.inbound.envelopes import failures_answer, open_envelope
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


def answering(answer: AppResponse, calls: list[AppRequest] | None = None) -> Any:
    """An app that always answers so."""

    def call(call: AppRequest) -> AppResponse:
        if calls is not None:
            calls.append(call)
        return answer

    return call


@pytest.mark.parametrize("source", ["aws:kafka", "SelfManagedKafka"])
def test_the_records_of_all_partitions_reach_the_function_in_order(source: str) -> None:
    """In one request, as the function takes it from a trigger, in the invocation's trace."""
    calls: list[AppRequest] = []
    dispatch(kafka_event(source), answering(AppResponse(200, [], b"{}"), calls), XRAY)
    [call] = calls
    request = Request({"type": "http", "headers": call.headers})
    places = [each.identifier for each in open_envelope(request.headers, call.body)]
    wanted = [(f"{TOPIC}-0", 1), (f"{TOPIC}-0", 2), (f"{TOPIC}-0", 5), (f"{TOPIC}-1", 9)]
    assert [(place["partition"], place["offset"]) for place in places if place] == wanted
    assert (call.method, call.path) == ("POST", "/")
    assert request.headers["traceparent"].startswith("00-5759e988bd862e3fe1be46a994272793-")


def test_the_failed_records_are_told_in_lambdas_form() -> None:
    """Topic, partition and offset, and nothing that Lambda does not know."""
    place = {"partition": "matches-0", "offset": 2}
    failed = failures_answer([RejectedRecord(ReceivedRecord(None, None, place), "no event")])
    told = dispatch(kafka_event(), answering(AppResponse(200, [], orjson.dumps(failed))))
    assert told == {"batchItemFailures": [{"itemIdentifier": place}]}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ready": 3}', b'{"batchItemFailures": []}'])
def test_all_is_taken_when_no_record_is_named(body: bytes) -> None:
    """Lambda is told so in the form that it knows, whatever else the function says."""
    assert dispatch(kafka_event(), answering(AppResponse(200, [], body))) == {
        "batchItemFailures": []
    }


@pytest.mark.parametrize("event", [kafka_event(), *SCHEDULES])
@pytest.mark.parametrize("status", [302, 400, 415, 422, 429, 500, 503])
def test_what_is_not_taken_is_raised(event: dict[str, Any], status: int) -> None:
    """So that Lambda brings it again; the error says what the function said."""
    with pytest.raises(EventNotProcessed, match=f"HTTP {status}: because"):
        dispatch(event, answering(AppResponse(status, [], b"because")))


@pytest.mark.parametrize("event", SCHEDULES)
def test_a_schedule_is_a_post_whose_answer_is_handed_back(event: dict[str, Any]) -> None:
    """Of EventBridge's rules, and of its Scheduler."""
    calls: list[AppRequest] = []
    assert dispatch(event, answering(AppResponse(200, [], b'{"ready":3}'), calls)) == {"ready": 3}
    assert (calls[0].method, calls[0].path) == ("POST", "/")


def test_calls_share_one_event_loop() -> None:
    """What is made in the first is of use in the second."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        loops.append(asyncio.get_running_loop())
        await Response("ok")(scope, receive, send)

    runner = AppRunner(app)
    assert [runner.request(AppRequest("GET", "/")).body for _ in range(2)] == [b"ok", b"ok"]
    runner.close()
    assert loops[0] is loops[1]


def test_a_call_waits_for_what_its_answer_leaves_under_way() -> None:
    """Afterwards the process may be frozen."""
    tied: list[str] = []

    def tie(end: pending_work.End) -> None:
        tied.append("tied")
        end.set_result(None)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asyncio.get_running_loop().call_later(0.01, tie, pending_work.track())
        await Response("ok")(scope, receive, send)

    runner = AppRunner(app)
    runner.request(AppRequest("GET", "/"))
    runner.close()
    assert tied == ["tied"]


def test_the_app_reads_its_body_once_and_hears_when_it_has_answered() -> None:
    """After the body there is nothing until the answer is whole; then the caller is gone."""
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert await Request(scope, receive).body() == b"body"
        leaving = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not leaving.done()
        await _send_in_parts(send, [b"an ", b"answer"])
        heard.append((await leaving)["type"])

    runner = AppRunner(app)
    assert runner.request(AppRequest("POST", "/", body=b"body")).body == b"an answer"
    runner.close()
    assert heard == ["http.disconnect"]


async def _send_in_parts(send: Send, parts: Sequence[bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number, part in enumerate(parts, 1):
        more = number < len(parts)
        await send({"type": "http.response.body", "body": part, "more_body": more})
