"""The peers: a bare function and what a user would write, each in its own process."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from local.stack import ROOT
from local.stack.ports import HOST, free_port
from local.stack.services.functions import Function, server
from local.stack.stack import Stack
from local.supervisor import Command, Process
from tests.benchmarks.http import Server

PYTHON = ROOT / ".venv/benchmark-peer/bin/python"


@contextmanager
def bare(folder: Path, *, status: int, body: str) -> Iterator[Server]:
    """A function that answers every request with this status and body, on our server settings."""
    port = free_port()
    environment = {
        "FUNCTION_SOURCE": "tests/benchmarks/bare/main.py",
        "FUNCTION_TARGET": "bare",
        "FUNCTION_USE_ASGI": "true",
        "HOST": HOST,
        "PORT": str(port),
        "XDG_RUNTIME_DIR": str(folder),
        "BARE_STATUS": str(status),
        "BARE_BODY": body,
    }
    command = (sys.executable, "-m", "functions_framework")
    with _running(f"bare-{port}", command, environment, folder, port) as server:
        yield server


@contextmanager
def list_highlights(stack: Stack, redis_url: str) -> Iterator[Server]:
    """Our own function, with another Redis, or with "" without one."""
    function = Function("list_highlights", free_port())
    own = stack.state.root / f"{function.name}-{function.port}"
    own.mkdir()
    settings = {
        **stack.addresses.function_settings(function.name),
        "REDIS_URL": redis_url,
        "LOG_LEVEL": "ERROR",
    }
    command = server(function, settings, own)
    with _running(own.name, command.arguments, command.environment, own, function.port) as running:
        yield running


@contextmanager
def ingest(stack: Stack, topic: str) -> Iterator[Server]:
    """POST /events with FastAPI and aiokafka.

    It goes without idempotence on the embedded broker, which does not answer what aiokafka asks of
    it at its start: the peer's gain.
    """
    idempotence = "false" if "broker" in stack.processes else "true"
    with _fastapi(stack, "ingest", {"TOPIC": topic, "IDEMPOTENCE": idempotence}) as server:
        yield server


@contextmanager
def lists(stack: Stack) -> Iterator[Server]:
    """GET /highlights with FastAPI, asyncpg and a cache in Redis."""
    with _fastapi(stack, "lists", {}) as server:
        yield server


@contextmanager
def _fastapi(stack: Stack, name: str, settings: Mapping[str, str]) -> Iterator[Server]:
    """Served by uvicorn as functions-framework has it, with uvloop and httptools in one worker."""
    if not PYTHON.exists():
        raise RuntimeError("The peer has no virtual environment yet: `make bench` makes it.")
    port = free_port()
    command = (
        PYTHON, "-m", "uvicorn", f"tests.benchmarks.peer.{name}:app", "--host", HOST,
        "--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log",
    )  # fmt: skip
    services = {
        "KAFKA_BOOTSTRAP_SERVERS": stack.kafka,
        "DATABASE_URL": stack.database_url,
        "REDIS_URL": stack.redis_url,
    }
    environment = {**services, **settings}
    with _running(f"peer-{name}-{port}", command, environment, stack.state.root, port) as server:
        yield server


@contextmanager
def _running(
    name: str,
    arguments: Sequence[str | Path],
    environment: Mapping[str, str],
    folder: Path,
    port: int,
) -> Iterator[Server]:
    url = f"http://{HOST}:{port}"
    command = Command(
        name,
        arguments,
        environment=environment,
        directory=ROOT,
        ready=lambda _: _answers(url),
    )
    log = folder / f"{name}.log"
    log.write_bytes(b"")
    process = Process(command, log, print_line=lambda _: None)
    process.start()
    try:
        process.wait_ready()
        yield Server(url, process)
    finally:
        process.stop()


def _answers(url: str) -> bool:
    try:
        httpx.get(url, trust_env=False)
    except httpx.TransportError:  # it begins only now
        return False
    return True
