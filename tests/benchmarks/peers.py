"""The bare function, on the same server settings as the functions it is compared with."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.embedded import ROOT, health
from local.embedded.ports import HOST, free_port
from local.supervisor import Command, Process


@contextmanager
def bare(folder: Path, *, status: int, body: str) -> Iterator[str]:
    """The URL of a function that answers every request with this status and body."""
    port = free_port()
    command = Command(
        f"bare-{port}",
        (sys.executable, "-m", "functions_framework"),
        environment={
            "FUNCTION_SOURCE": "tests/benchmarks/bare/main.py",
            "FUNCTION_TARGET": "bare",
            "FUNCTION_USE_ASGI": "true",
            "HOST": HOST,
            "PORT": str(port),
            "XDG_RUNTIME_DIR": str(folder),
            "BARE_STATUS": str(status),
            "BARE_BODY": body,
        },
        directory=ROOT,
        ready=lambda _: health.answers(port) or status != 200,
    )
    log = folder / f"{command.name}.log"
    log.write_bytes(b"")
    process = Process(command, log, say=lambda _: None)
    process.start()
    try:
        process.wait_ready()
        yield f"http://{HOST}:{port}/"
    finally:
        process.stop()
