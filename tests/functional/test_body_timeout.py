"""Request bodies that are late, or are not read by the application."""

import asyncio
from collections.abc import Iterable

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.shared.http.body_timeout import BodyTimeout, has_body
from functions.shared.http.problems import Problem

LENGTH = (b"content-length", b"6")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], False),
        ([(b"content-length", b"0")], False),
        ([(b"content-length", b"00 ")], False),
        ([LENGTH], True),
        ([(b"content-length", b"0"), LENGTH], True),
        ([(b"content-length", b"ten")], True),
        ([(b"transfer-encoding", b"chunked")], True),
    ],
)
def test_a_request_has_a_body_if_it_has_a_length_or_an_encoding(
    headers: list[tuple[bytes, bytes]], *, expected: bool
) -> None:
    """Even an invalid length may be followed by a body."""
    assert has_body(headers) is expected


def test_a_response_after_the_whole_body_keeps_the_connection() -> None:
    """For the next request."""
    sent = call(reads, [LENGTH], [part(b"abc", more=True), part(b"def")])
    assert (b"connection", b"close") not in sent[0]["headers"]
    assert sent[1]["body"] == b"6 bytes"
    assert not sent[1].get("more_body", False)


def test_a_response_before_the_end_of_the_body_closes_the_connection() -> None:
    """It is sent completely before the rest of the body is awaited."""
    sent = call(ignores, [LENGTH], [part(b"abc", more=True), part(b"def")])
    assert (b"connection", b"close") in sent[0]["headers"]
    assert (sent[1]["body"], sent[1]["more_body"]) == (b"no", True)
    assert not sent[2].get("more_body", False)


def test_a_request_without_a_body_is_served_unchanged() -> None:
    """Most requests have none."""
    sent = call(ignores, [], [part(b"")])
    assert (b"connection", b"close") not in sent[0]["headers"]
    assert len(sent) == 2


def test_a_late_body_is_a_408_where_it_is_read() -> None:
    """And the rest of it is not awaited for long."""
    sent = call(reads, [LENGTH], [part(b"abc", more=True)], timeout_s=0.05)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_an_application_may_wait_for_the_disconnect_after_the_body() -> None:
    """However long that takes."""

    async def listens(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        assert (await receive())["type"] == "http.disconnect"
        await PlainTextResponse("gone")(scope, receive, send)

    sent = call(listens, [LENGTH], [part(b"abcdef"), {"type": "http.disconnect"}], timeout_s=0.05)
    assert sent[1]["body"] == b"gone"


async def reads(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with the size of the body."""
    size = 0
    more = True
    try:
        while more:
            message = await receive()
            size += len(message["body"])
            more = message.get("more_body", False)
        response = PlainTextResponse(f"{size} bytes")
    except Problem as problem:
        await problem.response()(scope, receive, send)
    else:
        await response(scope, receive, send)


async def ignores(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond without reading the body."""
    await PlainTextResponse("no")(scope, receive, send)


def part(body: bytes, *, more: bool = False) -> Message:
    """Return a part of a body, as a server passes it on."""
    return {"type": "http.request", "body": body, "more_body": more}


def call(
    app: ASGIApp,
    headers: Iterable[tuple[bytes, bytes]],
    parts: list[Message],
    timeout_s: float = 10,
) -> list[Message]:
    """Return what is sent to a request whose body has these parts, and then no end."""
    sent: list[Message] = []
    left = iter(parts)

    async def receive() -> Message:
        if (message := next(left, None)) is None:
            await asyncio.Event().wait()
        assert message is not None
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": list(headers)}
    asyncio.run(BodyTimeout(app, timeout_s)(scope, receive, send))
    return sent
