"""Bodies that are late, or are not read, between a server and an application that are not there."""

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
    ("headers", "announced"),
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
def test_a_body_is_announced_by_its_length_or_its_encoding(
    headers: list[tuple[bytes, bytes]], *, announced: bool
) -> None:
    """Whatever may be followed by a byte of it."""
    assert has_body(headers) is announced


def test_an_answer_to_a_body_that_was_read_keeps_the_connection() -> None:
    """The next request may come."""
    sent = call(reads, [LENGTH], [part(b"abc", more=True), part(b"def")])
    assert (b"connection", b"close") not in sent[0]["headers"]
    assert sent[1]["body"] == b"6 bytes"
    assert not sent[1].get("more_body", False)


def test_an_answer_before_the_end_of_a_body_is_the_last_and_does_not_wait() -> None:
    """All of it is sent before what is left of the body is awaited."""
    sent = call(ignores, [LENGTH], [part(b"abc", more=True), part(b"def")])
    assert (b"connection", b"close") in sent[0]["headers"]
    assert (sent[1]["body"], sent[1]["more_body"]) == (b"no", True)
    assert not sent[2].get("more_body", False)


def test_without_a_body_nothing_changes() -> None:
    """Most requests have none."""
    sent = call(ignores, [], [part(b"")])
    assert (b"connection", b"close") not in sent[0]["headers"]
    assert len(sent) == 2


def test_a_body_that_does_not_come_is_a_408_where_it_is_read() -> None:
    """And what is left of it is not awaited for long."""
    sent = call(reads, [LENGTH], [part(b"abc", more=True)], timeout_s=0.05)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_who_still_listens_after_the_body_hears_of_the_disconnect() -> None:
    """However long that takes."""

    async def listens(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        assert (await receive())["type"] == "http.disconnect"
        await PlainTextResponse("gone")(scope, receive, send)

    sent = call(listens, [LENGTH], [part(b"abcdef"), {"type": "http.disconnect"}], timeout_s=0.05)
    assert sent[1]["body"] == b"gone"


async def reads(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the size of the body."""
    size = 0
    more = True
    try:
        while more:
            message = await receive()
            size += len(message["body"])
            more = message.get("more_body", False)
        answer = PlainTextResponse(f"{size} bytes")
    except Problem as problem:
        await problem.response()(scope, receive, send)
    else:
        await answer(scope, receive, send)


async def ignores(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without a look at the body."""
    await PlainTextResponse("no")(scope, receive, send)


def part(body: bytes, *, more: bool = False) -> Message:
    """A part of a body, as a server gives it."""
    return {"type": "http.request", "body": body, "more_body": more}


def call(
    app: ASGIApp,
    headers: Iterable[tuple[bytes, bytes]],
    parts: list[Message],
    timeout_s: float = 10,
) -> list[Message]:
    """All that is sent for a request whose body comes in these parts, and then no more."""
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
