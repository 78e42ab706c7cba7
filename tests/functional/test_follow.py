"""The follower against a small GoalStream over real HTTP, whose line breaks."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from local.follow.__main__ import main
from local.follow.client import HighlightsFollower, Reset
from local.follow.responses import RefusedError
from local.replay.run import connect
from tests.support.servers.highlights_server import HighlightsServer, running_highlights
from tests.support.waiting import eventually

COMMAND = (sys.executable, "-m", "local.follow")
WAYS = pytest.mark.parametrize("poll_s", [None, 0.005], ids=["stream", "feed"])
RESET = "reset"


@pytest.fixture
def server() -> Iterator[HighlightsServer]:
    """A server without a highlight."""
    with running_highlights() as running:
        yield running


@dataclass
class Followed:
    """What a follower told: changes as (id, title), states of its line, and the waits it made."""

    changes: list[Any] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    cursor: str | None = None

    async def sleep(self, seconds: float) -> None:
        """Wait, but not really."""
        self.waits_s.append(seconds)
        await asyncio.sleep(0.001)


def follow(
    server: HighlightsServer,
    count: int,
    then: Callable[[int], object] = lambda _: None,
    filters: Mapping[str, str] | None = None,
    **options: Any,
) -> Followed:
    """Follow a server until `count` changes were told; call `then` with the number of each."""
    told = Followed()

    async def run() -> None:
        async with connect(server.url) as http:
            follower = HighlightsFollower(
                http,
                server.url,
                filters or {},
                on_state=told.states.append,
                sleep=told.sleep,
                **options,
            )
            async with aclosing(follower.changes()) as changes:
                async for change in changes:
                    told.changes.append(
                        RESET if isinstance(change, Reset) else (change["id"], change.get("title"))
                    )
                    then(len(told.changes))
                    if len(told.changes) == count:
                        break
            told.cursor = follower.cursor

    asyncio.run(asyncio.wait_for(run(), 10))
    return told


@WAYS
def test_the_page_is_told_oldest_first_and_then_what_changes(
    server: HighlightsServer, poll_s: float | None
) -> None:
    """What changes between the page and the stream or the feed is told too, with the filters."""
    server.change("a", title="first")
    server.change("b")
    told = follow(
        server,
        5,
        lambda number: server.change("a" if number == 2 else f"new {number}", title="then"),
        {"team": "home"},
        poll_s=poll_s,
    )
    assert told.changes[:2] == [("a", "first"), ("b", None)]
    assert told.changes[2:] == [("new 1", "then"), ("a", "then"), ("new 3", "then")]
    assert {params["team"] for _, params in server.requests} == {"home"}
    paths = [path for path, _ in server.requests]
    assert paths[0] == "/highlights"
    assert set(paths[1:]) == {"/highlights" if poll_s else "/highlights/stream"}


@WAYS
def test_from_the_beginning_everything_is_told(
    server: HighlightsServer, poll_s: float | None
) -> None:
    """More than a page of the feed, in the order of the changes, and without a page before."""
    ids = [f"h{number}" for number in range(7)]
    for each in ids:
        server.change(each)
    assert [id_ for id_, _ in follow(server, 7, cursor="0", poll_s=poll_s).changes] == ids


def test_a_stream_that_breaks_goes_on_where_it_broke(server: HighlightsServer) -> None:
    """In the middle of an event too: that one is told once, and those before it not again."""
    server.streams.extend(["", "cut", "cut", ""])
    for each in "abc":
        server.change(each)
    told = follow(server, 3, cursor="0")
    assert [id_ for id_, _ in told.changes] == ["a", "b", "c"]
    assert [params["lastEventId"] for _, params in server.requests] == ["0", "1-1", "1-1"]
    assert len(told.waits_s) == 2
    assert sum("line down" in state for state in told.states) == 2


def test_an_event_that_comes_twice_is_told_twice(server: HighlightsServer) -> None:
    """In the same state, so nothing that was newer is lost; the stream goes on."""
    server.streams.extend(["twice", ""])
    server.change("a", title="once")
    server.change("b")
    assert [id_ for id_, _ in follow(server, 3, cursor="0").changes] == ["a", "a", "b"]


def test_a_stream_that_ends_is_opened_again(server: HighlightsServer) -> None:
    """After the wait that the server asked for; the reason is said, and when it is live again."""
    server.streams.extend([*["end"] * 5, ""])
    server.change("a")
    told = follow(server, 2, lambda _: server.change("b"), cursor="0")
    assert [id_ for id_, _ in told.changes] == ["a", "b"]
    assert all("the server ended the stream: shutdown" in state for state in told.states[:5])
    assert max(told.waits_s) <= 0.01
    assert told.states[5:] == ["live"]


@WAYS
def test_retry_after_is_obeyed(server: HighlightsServer, poll_s: float | None) -> None:
    """Of a 503 and of a 429, with a jitter on top; then it goes on as if nothing had been."""
    for status in (503, 429):
        server.failures.append(JSONResponse({}, status, headers={"Retry-After": "7"}))
    server.change("a")
    told = follow(server, 1, cursor="0", poll_s=poll_s)
    assert told.changes == [("a", None)]
    first, second = told.waits_s
    assert 7 <= first <= 8
    assert 7 <= second <= 9
    assert "503 Service Unavailable" in told.states[0]


def test_waits_grow_while_the_line_is_down(server: HighlightsServer) -> None:
    """They are random, up to a limit that doubles to half a minute; a success starts over."""
    server.failures.extend(Response(status_code=502) for _ in range(40))
    server.change("a")
    waits = follow(server, 1, cursor="0").waits_s
    limits = [min(2.0**number, 30) for number in range(40)]
    assert all(wait <= limit for wait, limit in zip(waits, limits, strict=True))
    assert max(waits) > 10
    assert len(set(waits)) > 30


@WAYS
@pytest.mark.parametrize("cursor", [None, "1-1"], ids=["page", "cursor"])
def test_after_a_restore_it_begins_again(
    server: HighlightsServer, poll_s: float | None, cursor: str | None
) -> None:
    """It says so, and then tells all that there is: from the page, or from the beginning."""
    server.change("a")
    server.change("b")
    if cursor is None:
        told = follow(server, 5, lambda _: setattr(server, "epoch", "2"), poll_s=poll_s)
        ids = ["a", "b", RESET, "a", "b"]
    else:
        server.epoch = "2"
        told = follow(server, 3, cursor=cursor, poll_s=poll_s)
        ids = [RESET, "a", "b"]
        assert all("pageSize" not in params for _, params in server.requests)
    assert [each if each == RESET else each[0] for each in told.changes] == ids


@WAYS
def test_a_change_that_was_not_handled_is_told_again(
    server: HighlightsServer, poll_s: float | None
) -> None:
    """Another process goes on with the cursor of one that died over a change, and gets that one."""
    for each in "abc":
        server.change(each)
    first = follow(server, 2, cursor="0", poll_s=poll_s)
    second = follow(server, 2, cursor=first.cursor, poll_s=poll_s)
    assert ("b", None) in first.changes
    assert ("b", None) in second.changes
    assert first.changes[0] not in second.changes or poll_s


def test_a_line_separator_within_a_text_breaks_no_event(server: HighlightsServer) -> None:
    """Only line feeds and carriage returns end a line of a stream."""
    server.change("a", title="one\N{LINE SEPARATOR}two\x85three")
    assert follow(server, 1, cursor="0").changes == [("a", "one\N{LINE SEPARATOR}two\x85three")]


def test_a_refusal_ends_it_with_the_reason(server: HighlightsServer) -> None:
    """Without a stream it says what to do instead."""
    server.failures.append(JSONResponse({"detail": "a key is missing"}, 401))
    with pytest.raises(RefusedError, match="401 Unauthorized: a key is missing"):
        follow(server, 1)
    server.failures.append(JSONResponse({}, 404))
    with pytest.raises(RefusedError, match=r"404 Not Found.*--poll"):
        follow(server, 1, cursor="0")
    server.failures.append(Response("<html>"))
    with pytest.raises(RefusedError, match="is this GoalStream"):
        follow(server, 1, cursor="0")


def test_a_list_of_something_else_is_refused(server: HighlightsServer) -> None:
    """Neither an HTML page nor a list without a link to its changes is GoalStream's."""
    for other in (Response("<html>"), JSONResponse({}), JSONResponse([])):
        server.failures.append(other)
        with pytest.raises(RefusedError, match="is this GoalStream"):
            follow(server, 1)


def test_the_key_of_the_environment_is_sent(
    server: HighlightsServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not printed; a refusal is one line and exit status 2."""
    monkeypatch.setenv("GOALSTREAM_API_KEY", "the-key-of-a-reader")
    server.failures.append(JSONResponse({"detail": "this key is wrong"}, 401))
    assert main(["--highlights-url", server.url]) == 2
    out, error = capsys.readouterr()
    assert (out, error) == ("", "follow: 401 Unauthorized: this key is wrong\n")
    assert server.authorizations == {"Bearer the-key-of-a-reader"}


def started(server: HighlightsServer, *arguments: str) -> "subprocess.Popen[str]":
    """Start the command."""
    return subprocess.Popen(
        [*COMMAND, "--highlights-url", server.url, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def test_ctrl_c_ends_it_quietly_and_shows_where_to_go_on(server: HighlightsServer) -> None:
    """The lines so far are on standard output, the state of the line on standard error."""
    server.change("a", title="Messi scores", summary="1-0.", minute=23, player="Messi", revision=1)
    with started(server) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        eventually(lambda: ("/highlights/stream", {"lastEventId": "1-1"}) in server.requests)
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=10)
    assert line == "READY      23' Messi (corrected): Messi scores | 1-0.\n"
    assert out == ""
    assert [each for each in error.splitlines() if each != "follow: live"] == [
        "follow: --since 1-1 goes on from here"
    ]
    assert process.returncode == 130


def test_json_is_one_document_a_line(server: HighlightsServer) -> None:
    """With all members that the server sent, and until the reader of the pipe has gone."""
    server.change("a", title="Tor für Köln", metadata={"x": [1]})
    server.change("b")
    with started(server, "--json", "--since", "0") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        rows = [json.loads(process.stdout.readline()) for _ in "ab"]
        process.stdout.close()
        server.change("c")
        error = process.stderr.read()
    assert [row["id"] for row in rows] == ["a", "b"]
    assert (rows[0]["title"], rows[0]["metadata"]) == ("Tor für Köln", {"x": [1]})
    assert process.returncode == 0
    assert "Traceback" not in error
