"""API keys from a file, and a start that is refused, under functions-framework."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Loads a function as functions-framework does; sends requests with the file's key and without.
ASK = """
import asyncio, os, pathlib, sys
import httpx
from functions_framework.aio import create_asgi_app

async def ask(app, *request):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        key = pathlib.Path(os.environ["API_KEYS_FILE"]).read_text().split()[-1]
        for headers in ({}, {"X-Api-Key": key}):
            print((await client.request(*request, headers=headers)).status_code)

asyncio.run(ask(create_asgi_app(), *sys.argv[1:]))
"""


def started(name: str, *request: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Start a function without its services, and send it a request."""
    hosting = {"FUNCTION_SOURCE": f"functions/{name}/main.py", "FUNCTION_TARGET": name}
    services = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "DATABASE_URL": "postgresql://user@127.0.0.1:1/goalstream",
    }
    return subprocess.run(
        [sys.executable, "-c", ASK, *request],
        env={**os.environ, **services, "PYTHONPATH": str(ROOT), **hosting, **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "method", "path", "status"),
    [
        ("ingest_event", "POST", "/events", 415),
        ("list_highlights", "GET", "/highlights?page=one", 400),
        ("get_highlight", "GET", "/highlights/none", 404),
    ],
)
def test_a_function_reads_its_keys_from_a_file(
    name: str, method: str, path: str, status: int, tmp_path: Path
) -> None:
    """As an orchestrator mounts a secret."""
    keys = tmp_path / "keys"
    keys.write_text("the-old-key-of-the-feed\nthe-new-key-of-the-feed\n")
    done = started(name, method, path, API_KEYS_FILE=str(keys), GATEWAY_ADDRESS="192.0.2.1")
    assert done.stdout.split() == ["401", str(status)], done.stderr


def test_ingest_event_does_not_start_if_it_is_public_without_keys() -> None:
    """A gateway that other machines reach needs keys."""
    done = started("ingest_event", "POST", "/events", GATEWAY_ADDRESS="192.0.2.1")
    assert done.returncode == 1
    assert done.stderr.startswith("cannot start: API_KEYS is missing: ")
    assert len(done.stderr.splitlines()) == 1
