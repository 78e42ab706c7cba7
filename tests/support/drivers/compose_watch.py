"""`docker compose watch`, as a process."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from local.stack import ROOT
from tests.support.waiting import eventually

STARTS = 3
LIMIT_S = 60


@contextmanager
def watching(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
    """Run this command of `docker compose watch` during the block.

    It is started again if it ends before it watches, as it does when a folder vanishes while it
    looks into the folders.

    Raises:
        AssertionError: it ended each time, or the block failed; with its output.
    """
    with TemporaryDirectory() as runtime:  # its PID file: of an old one, the PID may be taken again
        output = Path(runtime, "output")
        try:
            for _ in range(STARTS):
                watch = _start(command, {**environment, "XDG_RUNTIME_DIR": runtime}, output)
                if _watches(watch, output):
                    break
            assert watch.returncode is None, f"it ended {STARTS} times"
            yield
        except AssertionError as failure:
            failure.add_note(f"{' '.join(command)}: {output.read_text(encoding='utf-8')}")
            raise
        finally:
            watch.send_signal(signal.SIGINT)
            watch.wait(LIMIT_S)


def _start(
    command: Sequence[str], environment: Mapping[str, str], output: Path
) -> subprocess.Popen[bytes]:
    with output.open("wb") as file:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
        )


def _watches(watch: subprocess.Popen[bytes], output: Path) -> bool:
    """Wait until it watches, or has ended."""

    def is_enabled() -> bool:
        return "Watch enabled" in output.read_text(encoding="utf-8")

    eventually(lambda: is_enabled() or watch.poll() is not None, LIMIT_S)
    return watch.returncode is None
