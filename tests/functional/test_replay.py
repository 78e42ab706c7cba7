"""The replay command against a small GoalStream over real HTTP."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from functions.shared.contract.event import Event
from local.replay.__main__ import main
from tests.support.builders.events import id_of

FINAL = ["--match", "argentina france", "--speed", "max"]


class GoalStream:
    """Accepts events and lists a READY highlight for each, after the statuses in `failures`."""

    def __init__(self) -> None:
        self.failures: list[int] = []
        self.status = "READY"
        self.posts = 0
        self.highlights: dict[UUID, Event] = {}
        self.connections: set[Any] = set()
        self.authorizations: set[str | None] = set()

    def app(self) -> Starlette:
        """Return the service as uvicorn takes it."""
        return Starlette(
            routes=[
                Route("/health", lambda _: Response()),
                Route("/events", self._take, methods=["POST"]),
                Route("/highlights", self._list),
                Route("/highlights/{id}", self._one),
            ]
        )

    async def _take(self, request: Request) -> Response:
        self.connections.add(request.client)
        self.authorizations.add(request.headers.get("Authorization"))
        if self.failures:
            problem = {"detail": "out of order"}
            return JSONResponse(problem, self.failures.pop(0), headers={"Retry-After": "0"})
        self.posts += 1
        event = Event.model_validate_json(await request.body())
        id_ = id_of(event.match_id, str(event.event_id))
        self.highlights[id_] = event
        response = {"eventId": event.event_id, "highlightId": str(id_)}
        return JSONResponse(response, 202, headers={"Location": f"/highlights/{id_}"})

    async def _list(self, request: Request) -> Response:
        match = UUID(request.query_params["matchId"])
        found = [id_ for id_, event in self.highlights.items() if event.match_id == match]
        start = int(request.query_params.get("cursor", 0))
        following = request.url.include_query_params(cursor=start + 2)
        more = {"Link": f'<{following}>; rel="next"'} if found[start + 2 :] else {}
        return JSONResponse([self._row(id_) for id_ in found[start : start + 2]], headers=more)

    async def _one(self, request: Request) -> Response:
        return JSONResponse(self._row(UUID(request.path_params["id"])))

    def _row(self, id_: UUID) -> dict[str, str]:
        return {"id": str(id_), "status": self.status, "title": "Goal"}


@pytest.fixture
def goalstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoalStream]:
    """Serve a GoalStream on a free port, to which the environment points the replay."""
    service = GoalStream()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(service.app(), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        monkeypatch.setenv("GOALSTREAM_EVENTS_PORT", str(port))
        monkeypatch.setenv("GOALSTREAM_HIGHLIGHTS_PORT", str(port))
        yield service
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


def test_the_goals_of_the_world_cup_become_ready_highlights(
    goalstream: GoalStream, capsys: pytest.CaptureFixture[str]
) -> None:
    """172 goals make 172 READY highlights over few connections, a second time too."""
    for posts in (172, 344):
        assert main(["--speed", "max"]) == 0
        assert goalstream.posts == posts
        assert len(goalstream.highlights) == 172
        assert "172 of 172 highlights are READY" in capsys.readouterr().out
    assert len(goalstream.connections) <= 2 * 8


def test_the_key_of_the_environment_is_sent(
    goalstream: GoalStream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not printed."""
    monkeypatch.setenv("GOALSTREAM_API_KEY", "the-key-of-the-feed")
    assert main(FINAL) == 0
    assert goalstream.authorizations == {"Bearer the-key-of-the-feed"}
    assert "the-key" not in "".join(capsys.readouterr())


def test_three_shuffled_posts_of_each_goal_make_the_same_highlights(goalstream: GoalStream) -> None:
    """516 posts make no more highlights."""
    assert main(["--times", "3", "--shuffle", "1"]) == 0
    assert (goalstream.posts, len(goalstream.highlights)) == (516, 172)


def test_a_service_that_fails_for_a_while_is_retried(
    goalstream: GoalStream, capsys: pytest.CaptureFixture[str]
) -> None:
    """A 503 and a 502 lose no goal."""
    goalstream.failures = [503, 502]
    assert main(FINAL) == 0
    assert "503 Service Unavailable: out of order" in capsys.readouterr().out
    assert len(goalstream.highlights) == 6


def test_a_refused_goal_is_missing(
    goalstream: GoalStream, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1, and the line that says which and why."""
    goalstream.failures = [400]
    assert main(FINAL) == 1
    out = capsys.readouterr().out
    assert "5 of 6 goals went in" in out
    assert "Lionel Messi (penalty): 400 Bad Request: out of order" in out


def test_a_pending_highlight_is_missing(
    goalstream: GoalStream, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1 once the wait is over."""
    goalstream.status = "PENDING_AI"
    assert main([*FINAL, "--wait", "0.2"]) == 1
    out = capsys.readouterr().out
    assert "0 of 6 highlights are READY" in out
    assert out.count(": PENDING_AI") == 6


def test_a_service_that_cannot_be_reached_is_an_error_of_one_line(
    free_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2 before anything is posted, and the address that does not answer."""
    monkeypatch.setenv("GOALSTREAM_EVENTS_PORT", str(free_port))
    assert main(FINAL) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert f"http://localhost:{free_port}" in error


@pytest.fixture
def free_port() -> int:
    """A port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file"),
        ("goals!", "not openfootball's JSON"),
        ('{"teams": []}', "no matches"),
        ('{"matches": [{"team1": "A", "team2": "B"}]}', "matches.0.date"),
    ],
)
def test_a_wrong_file_is_an_error_of_one_line(
    content: str | None, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, with the file's name and what is wrong with it."""
    file = tmp_path / "matches.json"
    if content is not None:
        file.write_text(content)
    assert main([str(file)]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert str(file) in error
    assert why in error


def test_an_unknown_match_is_an_error_with_the_teams(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, with the teams of the file."""
    assert main(["--match", "atlantis"]) == 2
    assert "Argentina, Australia, Belgium" in capsys.readouterr().err


def test_the_list_has_matches_and_goals(capsys: pytest.CaptureFixture[str]) -> None:
    """A match a line, its goals below it, without a service."""
    assert main(["--list", "--match", "argentina france"]) == 0
    first, *goals = capsys.readouterr().out.splitlines()
    assert first.startswith("2022-12-18 Argentina 3")
    assert len(goals) == 6


def test_a_dry_run_prints_the_events_in_the_order_of_the_clock(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Valid events as JSON lines, those of all matches merged by the clock, without a service."""
    assert main(["--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len({Event.model_validate_json(line).event_id for line in lines}) == 172
    minutes = [json.loads(line)["minute"] for line in lines]
    assert minutes[0] == min(minutes)
    assert minutes[-1] == max(minutes)


def test_a_reader_that_closes_the_pipe_is_no_error() -> None:
    """`| head -1` leaves neither a traceback nor an exit status."""
    command = [sys.executable, "-m", "local.replay", "--dry-run", "--times", "9"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as replay:
        assert replay.stdout is not None
        assert replay.stderr is not None
        assert replay.stdout.readline()
        replay.stdout.close()
        assert replay.stderr.read() == b""
    assert replay.returncode == 0


def test_characters_that_the_encoding_lacks_are_no_error() -> None:
    """A terminal that knows only ASCII shows a question mark."""
    command = [sys.executable, "-m", "local.replay", "--list", "--match", "argentina france"]
    environ = os.environ | {"PYTHONIOENCODING": "ascii"}
    assert b"?ngel Di Mar?a" in subprocess.check_output(command, env=environ)
