"""`python -m local.install ARGUMENTS…`: pip install, which tells what it does and why it failed.

It uses only what comes with Python. pip's own output is in the file `install.log` of the
environment.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

PIP = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check")
# Options of pip's that its configuration may hold, and that fail in a virtual environment.
ENVIRONMENT = {"PIP_USER": "0", "PIP_PROGRESS_BAR": "off", "PIP_NO_INPUT": "1"}
LAST_LINES = 8
LONGEST_REASON = 300


def main(arguments: Sequence[str], log: Path = Path(sys.prefix) / "install.log") -> int:
    """Install; returns pip's exit status."""
    began = time.monotonic()
    lines = []
    with subprocess.Popen(  # noqa: S603 - pip, and no shell
        [*PIP, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **ENVIRONMENT},
    ) as pip:
        progress = _Progress()
        for line in pip.stdout or ():
            lines.append(line.rstrip())
            progress.take(line)
        progress.end()
    with suppress(OSError):  # a full disk may be why
        log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if pip.returncode:
        tail = "\n  ".join(lines[-LAST_LINES:])
        sys.stderr.write(f"{reason(lines)}\n{log} ends with\n  {tail}\n")
    elif progress.installs:
        sys.stdout.write(f"Installed in {time.monotonic() - began:.0f} s.\n")
    return pip.returncode


def reason(lines: Iterable[str]) -> str:
    """Say in a line why pip failed."""
    text = "\n".join(lines)
    for pattern in (
        r"No space left on device",
        r"Permission denied.*",
        r"connection broken by '(.*)'(?=[\s\S]*No matching distribution)",
        r"^ERROR: (.*)",
    ):
        if found := re.findall(pattern, text, re.MULTILINE):
            return f"The packages could not be installed: {found[-1][:LONGEST_REASON]}"
    return "The packages could not be installed."


class _Progress:
    """Tells what pip does: on a terminal in a line that changes, elsewhere a line for each step."""

    def __init__(self) -> None:
        self.installs = False
        self._fetched = 0
        self._is_terminal = sys.stdout.isatty()

    def take(self, line: str) -> None:
        """Tell of what a line of pip's output says."""
        if found := re.match(r"(?:Collecting|Processing) (?:\S*/)?([\w.-]+)", line):
            self._fetched += 1
            if self._is_terminal:
                self._show(f"  fetching package {self._fetched}: {found[1]}")
            elif self._fetched == 1:
                self._show("  fetching the packages")
        elif "Retrying" in line and not self._fetched:
            self._show("  the package index does not answer; trying again")
        elif line.startswith("Installing collected packages:"):
            self.installs = True
            number = line.count(",") + 1
            self._show(f"  installing {number} package{'s' * (number > 1)}")

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal:
            self._write("\r\033[K")

    def _show(self, text: str) -> None:
        self._write(f"\r{text}\033[K" if self._is_terminal else f"{text}\n")

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
