"""A small `/highlights` with its change feed and its stream, which fails as a test tells it to."""

import asyncio
import json
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

LOOK_S = 0.002
PAGE_SIZE = 2  # of the change feed


class CutError(Exception):
    """The connection breaks."""


class HighlightsServer:
    """Serves the highlights that `change` has told; their order is that of their last changes.

    `failures` answers the next requests, each with one; `streams` are commands for the next events
    of streams: `cut` breaks the connection in the middle of the event, `twice` sends it twice, and
    `end` says instead that the stream ends. Another `epoch` makes all cursors unknown.
    """

    def __init__(self) -> None:
        self.url = ""
        self.epoch = "1"
        self.failures: deque[Response] = deque()
        self.streams: deque[str] = deque()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.authorizations: set[str | None] = set()
        self.stopping = False
        self._position = 0
        self._changes: dict[str, tuple[int, Mapping[str, Any]]] = {}

    def change(self, id_: str, **fields: Any) -> None:
        """Change a highlight, or add one."""
        self._position += 1
        _, before = self._changes.get(id_, (0, {"id": id_, "status": "READY", "eventType": "goal"}))
        self._changes[id_] = self._position, {**before, **fields}

    def app(self) -> Starlette:
        """Return the service as uvicorn takes it."""
        return Starlette(
            routes=[Route("/highlights", self._list), Route("/highlights/stream", self._stream)]
        )

    def _cursor(self, position: int) -> str:
        return f"{self.epoch}-{position}"

    def _after(self, position: int) -> list[tuple[int, Mapping[str, Any]]]:
        later = [each for each in self._changes.values() if each[0] > position]
        return sorted(later, key=lambda change: change[0])

    def _known(self, cursor: str) -> int | None:
        """Return the position of a cursor, or None if it is of another epoch."""
        epoch, _, position = (
            f"{self.epoch}-0".rpartition("-") if cursor == "0" else cursor.rpartition("-")
        )
        return int(position) if epoch == self.epoch else None

    def _failure(self, request: Request) -> Response | None:
        self.requests.append((request.url.path, dict(request.query_params)))
        self.authorizations.add(request.headers.get("Authorization"))
        return self.failures.popleft() if self.failures else None

    async def _list(self, request: Request) -> Response:
        if failure := self._failure(request):
            return failure
        if "changedSince" in request.query_params:
            return self._feed(request.query_params["changedSince"])
        newest_first = [highlight for _, highlight in self._after(0)][::-1]
        link = f'<?changedSince={self._cursor(self._position)}>; rel="changes"'
        return JSONResponse(newest_first, headers={"Link": link})

    def _feed(self, cursor: str) -> Response:
        position = self._known(cursor)
        if position is None:
            link = '<?changedSince=0>; rel="changes"'
            return JSONResponse({"begin": "?changedSince=0"}, 410, headers={"Link": link})
        later = self._after(position)
        rows, more = later[:PAGE_SIZE], later[PAGE_SIZE:]
        target = f"<?changedSince={self._cursor(rows[-1][0] if rows else self._position)}>"
        links = ([f'{target}; rel="next"'] if more else []) + [f'{target}; rel="changes"']
        return JSONResponse([row for _, row in rows], headers={"Link": ", ".join(links)})

    async def _stream(self, request: Request) -> Response:
        if failure := self._failure(request):
            return failure
        cursor = request.headers.get("Last-Event-ID") or request.query_params["lastEventId"]
        return StreamingResponse(self._events(cursor), media_type="text/event-stream")

    async def _events(self, cursor: str) -> AsyncIterator[str]:
        yield "retry: 10\n: stream\n\n"
        position = self._known(cursor)
        if position is None:
            data = '{"begin": "?changedSince=0"}'
            yield f"event: reset\nid: {self._cursor(self._position)}\ndata: {data}\n\n"
            position = self._position
        is_ready = False
        while not self.stopping:
            for at, highlight in self._after(position):
                for text in self._told(at, highlight):
                    yield text
                position = at
            if not is_ready:
                is_ready = True
                yield f"event: ready\nid: {self._cursor(position)}\ndata: {{}}\n\n"
            await asyncio.sleep(LOOK_S)

    def _told(self, at: int, highlight: Mapping[str, Any]) -> Iterator[str]:
        data = json.dumps(highlight, ensure_ascii=False)
        event = f"event: highlight\nid: {self._cursor(at)}\ndata: {data}\n\n"
        command = self.streams.popleft() if self.streams else None
        if command == "cut":
            yield event[:-2]
            raise CutError
        if command == "end":
            yield 'event: end\ndata: {"reason": "shutdown"}\n\n'
            raise CutError
        yield event * (2 if command == "twice" else 1)


@contextmanager
def running_highlights() -> Iterator[HighlightsServer]:
    """Serve on a free port of 127.0.0.1."""
    service = HighlightsServer()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        service.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(service.app(), log_level="critical", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield service
        finally:
            service.stopping = server.should_exit = True
            thread.join(10)
    assert not thread.is_alive()
