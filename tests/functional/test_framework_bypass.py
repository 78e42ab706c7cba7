"""Requests that functions-framework's router would refuse by itself."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.functional.test_mains import FUNCTIONS, ROOT, environment

# Loads a function as functions-framework does, requests its health, and then paths that no
# function has, as a server passes them on.
ASK = """
import asyncio, json, sys
from functions_framework.aio import create_asgi_app

async def ask(app, method, path):
    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(),
             "query_string": b"", "headers": [], "client": ("127.0.0.1", 1), "root_path": "",
             "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 80)}
    sent = []
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message):
        sent.append(message)
    await app(scope, receive, send)
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    return [sent[0]["status"], headers, body]

async def ask_all(app):
    return [await ask(app, *question) for question in json.loads(sys.argv[1])]

sys.stdout.write(json.dumps(asyncio.run(ask_all(create_asgi_app()))))
"""

PATHS = {
    "ingest_event": ("/events", "POST, OPTIONS"),
    "consume_goal": ("/", "POST, OPTIONS"),
    "enrich_batch": ("/", "POST, OPTIONS"),
    "list_highlights": ("/highlights", "GET, HEAD, OPTIONS"),
    "get_highlight": ("/highlights/x", "GET, HEAD, OPTIONS"),
    "stream_highlights": ("/highlights/stream", "GET, HEAD, OPTIONS"),
}


def responses(function: str, *requests: tuple[str, str]) -> list[tuple[int, dict[str, str], Any]]:
    """Return status, headers and body of the responses to these methods and paths."""
    argument = json.dumps([("GET", "/health"), *requests])
    done = subprocess.run(
        [sys.executable, "-c", ASK, argument],
        env=environment(function),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    _, *received = json.loads(done.stdout)
    return [(status, headers, json.loads(body)) for status, headers, body in received]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_request_is_answered_by_the_function_itself(function: str) -> None:
    """In problem details, with the methods of the path, and a correlation id."""
    path, allow = PATHS[function]
    methods = [(method, path) for method in ("PROPFIND", "TRACE", "CONNECT", "propfind", "X-Y")]
    paths = [("GET", "/favicon.ico"), ("GET", "/robots.txt"), ("GET", f"{path}/\n"), ("GET", "\n")]
    received = responses(function, *methods, *paths)
    assert [status for status, _, _ in received] == [405] * len(methods) + [404] * len(paths)
    for status, headers, body in received:
        assert headers["content-type"] == "application/problem+json"
        assert headers["cache-control"] == "no-store"
        assert len(headers["x-correlation-id"]) == 32
        assert (body["type"], body["status"]) == ("about:blank", status)
        assert headers.get("allow") == (allow if status == 405 else None)
