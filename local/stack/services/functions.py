"""The functions, each hosted by functions-framework in a process of its own."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.stack import ROOT
from local.stack.connectivity import answers_ok
from local.stack.ports import HOST
from local.supervisor import Command

READERS = ("list_highlights", "get_highlight", "stream_highlights")
PUBLIC = ("ingest_event", *READERS)
NAMES = (*PUBLIC, "consume_goal", "enrich_batch")


@dataclass(frozen=True)
class Function:
    """A function and its port."""

    name: str
    port: int

    @property
    def address(self) -> str:
        """Its host and port."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """Its URL, without a slash at the end."""
        return f"http://{self.address}"


def server(
    function: Function, settings: Mapping[str, str], run: Path, ready_at: str = "/ready"
) -> Command:
    """Return the command that hosts a function; its server keeps a socket in the folder `run`.

    It is ready when the path `ready_at` answers 200: "/health" does so without its services too.
    """
    own = run / function.name
    own.mkdir(exist_ok=True)
    hosting = {
        "FUNCTION_SOURCE": f"functions/{function.name}/main.py",
        "FUNCTION_TARGET": function.name,
        "FUNCTION_USE_ASGI": "true",
        "HOST": HOST,
        "PORT": str(function.port),
        "PYTHONPATH": str(ROOT),
        "XDG_RUNTIME_DIR": str(own),
    }
    return Command(
        function.name,
        (sys.executable, "-m", "functions_framework"),
        environment={**settings, **hosting},
        directory=ROOT,
        ready=lambda _: answers_ok(function.port, ready_at),
    )
