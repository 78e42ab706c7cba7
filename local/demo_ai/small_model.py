"""The small model of make demo-ai, served by a process in an environment of its own."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "demo-ai" / "bin" / "python"
SERVER = Path(__file__).parent / "model_process.py"
MODEL = "SmolLM2-135M-Instruct"


class ModelNotServed(Exception):
    """The process that serves the model is not installed, or does not start."""


@contextmanager
def small_model(python: Path = PYTHON) -> Iterator[str]:
    """Serve the small model on a free port of this machine; yield its base URL.

    Raises:
        ModelNotServed: the message says why.
    """
    if not python.exists():
        raise ModelNotServed(f"There is no {python}: `make demo-ai` installs it.")
    with (
        tempfile.TemporaryFile("w+", errors="replace") as log,
        subprocess.Popen(  # noqa: S603 - our own program, and no shell
            [python, SERVER],
            stdin=subprocess.PIPE,  # it ends when this does, however we end
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is for us; we end it
        ) as process,
    ):
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            if not url:
                process.wait()
                log.seek(0)
                last = (log.read().strip().splitlines() or ["no reason is given"])[-1]
                raise ModelNotServed(f"The model does not start: {last}")
            yield url
        finally:
            process.kill()  # it has nothing to save
