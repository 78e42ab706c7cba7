"""A hostile endpoint for both enrichers: it answers well, badly, or not at all, in a seeded mix."""

import gzip
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from types import TracebackType
from typing import Any, Self

from tests.support.servers.hostile_answers import DRESSED, SHAPES, answer, completion
from tests.support.servers.hostile_texts import (
    BAD_TEXTS,
    AskedFacts,
    asked_of_model,
    asked_over_http,
    text_of,
)

# What it does instead of an answer, or to one; what it says in a good answer is in BAD_TEXTS.
FAILURES = (
    "429 with seconds", "429 with a date", "503", "500", "hang", "no reply", "cut in the middle",
    "dribble", "100 kB", "redirect", "compressed",
)  # fmt: skip
GOOD = "good"
BEHAVIOURS = (GOOD, *DRESSED, *FAILURES, *SHAPES, *BAD_TEXTS)
MIX = {each: 30.0 if each == GOOD else 2.0 for each in BEHAVIOURS}
FORMATS = ("json_schema", "json_object", None)
BOMB = gzip.compress(b" " * 1_000_000, 1)


class ModelServer:
    """Serves on a port of 127.0.0.1, or a free one, during `with`, at `url` and `openai_url`.

    Each request meets a behaviour of `mix`, by weight; the same facts meet the same behaviours in
    the same order, whatever else is asked meanwhile. It refuses every `response_format` that is
    stricter than `accepts`. `done` counts the behaviours, `true_texts` has the texts by language
    that it sent and that are true, by their facts, `overlaps` how often facts came again while a
    text for them was being written, which takes `latency_s`.
    """

    def __init__(
        self,
        mix: Mapping[str, float] = MIX,
        *,
        seed: int = 0,
        accepts: str | None = "json_schema",
        retry_after_s: int = 1,
        hang_s: float = 3.0,
        latency_s: float = 0.002,
        port: int = 0,
    ) -> None:
        self.mix = dict(mix)
        self.accepts = accepts
        self.retry_after_s = retry_after_s
        self.hang_s = hang_s
        self.latency_s = latency_s
        self.done: Counter[str] = Counter()
        self.true_texts: dict[AskedFacts, dict[str, dict[str, str]]] = {}
        self.overlaps = 0
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.stopping = threading.Event()
        self._seed = seed
        self._tries: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"model": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """The URL for the enricher `http`."""
        return f"http://127.0.0.1:{self._server.server_port}/enrich"

    @property
    def openai_url(self) -> str:
        """The base URL for the enricher `openai`."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def accepts_format(self, asked: Mapping[str, Any]) -> bool:
        """Return whether the way in which JSON is asked for is none that it refuses."""
        wanted = asked.get("response_format", {}).get("type")
        return FORMATS.index(wanted) >= FORMATS.index(self.accepts)

    def begin(self, facts: str) -> tuple[str, Random]:
        """Return the behaviour that these facts meet this time, and the dice for its details."""
        with self._lock:
            chance = Random(f"{self._seed} {facts} {self._tries[facts]}")
            self._tries[facts] += 1
            self.overlaps += self._running[facts]
            self._running[facts] += 1
            (behaviour,) = chance.choices([*self.mix], [*self.mix.values()])
            self.done[behaviour] += 1
        return behaviour, chance

    def end(self, facts: str) -> None:
        """Record that a text for these facts is no longer being written."""
        with self._lock:
            self._running[facts] -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ModelServer

    def handle(self) -> None:
        with suppress(ConnectionError):  # who asked may be gone
            super().handle()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.model.requests.append((self.path, dict(self.headers), asked))
        is_chat = self.path.startswith("/v1/")
        if is_chat and not self.model.accepts_format(asked):
            self._send(400, b'{"error": {"message": "unknown response_format"}}')
            return
        key = self.headers.get("X-Api-Key", "")
        facts, languages = asked_of_model(asked) if is_chat else asked_over_http(asked, key)
        behaviour, chance = self.model.begin(repr(facts))
        self.model.stopping.wait(self.model.latency_s)
        self.model.end(repr(facts))  # before any answer, after which the facts may come again
        if behaviour in FAILURES:
            self._fail(behaviour)
        else:
            texts = {tag: text_of(facts, tag) for tag in languages}
            if behaviour in BAD_TEXTS:  # in some of the languages at least
                bad = chance.sample(languages, chance.randint(1, len(languages)))
                texts |= {tag: BAD_TEXTS[behaviour](facts, tag, chance) for tag in bad}
            if behaviour in (GOOD, *DRESSED):
                self.model.true_texts[facts] = texts
            body = completion(behaviour, texts) if is_chat else answer(behaviour, texts)
            self._send(200, body[: len(body) // 2] if behaviour == "truncated JSON" else body)

    def _fail(self, behaviour: str) -> None:
        later = datetime.now(UTC) + timedelta(seconds=self.model.retry_after_s)
        match behaviour:
            case "429 with seconds":
                self._send(429, b"{}", {"Retry-After": str(self.model.retry_after_s)})
            case "429 with a date":
                self._send(429, b"{}", {"Retry-After": format_datetime(later, usegmt=True)})
            case "503" | "500":
                self._send(int(behaviour), b"<h1>away</h1>")
            case "redirect":
                self._send(307, b"", {"Location": "/elsewhere"})
            case "compressed":
                self._send(200, BOMB, {"Content-Encoding": "gzip"})
            case "100 kB":
                self._send(200, b'{"x": "' + b"x" * 100_000 + b'"}')
            case "hang":
                self.model.stopping.wait(self.model.hang_s)
                self.close_connection = True
            case "cut in the middle":
                self._send(200, b'{"success": true', {"Content-Length": "1000"})
                self.close_connection = True
            case "no reply":  # a reset
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
            case "dribble":  # each byte in time, but never all of them
                self._send(200, b"", {"Content-Length": "1000"})
                for _ in range(int(self.model.hang_s / 0.05)):
                    if self.model.stopping.wait(0.05):
                        break
                    self.wfile.write(b" ")
                self.close_connection = True

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""
