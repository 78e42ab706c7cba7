"""`python -m local.install ARGUMENTS…`: pip install, with its progress and the reason of a failure.

It needs only the standard library. pip's own output is in the file `install.log` of the
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
# Options that a user's pip configuration may set, and that fail in a virtual environment.
ENVIRONMENT = {"PIP_USER": "0", "PIP_PROGRESS_BAR": "off", "PIP_NO_INPUT": "1"}
LAST_LINES = 8
MAX_REASON = 300


def main(arguments: Sequence[str], log: Path = Path(sys.prefix) / "install.log") -> int:
    """Install; return pip's exit status."""
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
            progress.show(line)
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
    """Return why pip failed, in one line."""
    text = "\n".join(lines)
    for pattern in (
        r"No space left on device",
        r"Permission denied.*",
        r"connection broken by '(.*)'(?=[\s\S]*No matching distribution)",
        r"^ERROR: (.*)",
    ):
        if found := re.findall(pattern, text, re.MULTILINE):
            return f"The packages could not be installed: {found[-1][:MAX_REASON]}"
    return "The packages could not be installed."


class _Progress:
    """Shows pip's progress: on a terminal in one line, elsewhere one for each step."""

    def __init__(self) -> None:
        self.installs = False
        self._fetched = 0
        self._is_terminal = sys.stdout.isatty()

    def show(self, line: str) -> None:
        """Show the step of a line of pip's output."""
        if found := re.match(r"(?:Collecting|Processing) (?:\S*/)?([\w.-]+)", line):
            self._fetched += 1
            if self._is_terminal:
                self._print(f"  fetching package {self._fetched}: {found[1]}")
            elif self._fetched == 1:
                self._print("  fetching the packages")
        elif "Retrying" in line and not self._fetched:
            self._print("  the package index does not answer; trying again")
        elif line.startswith("Installing collected packages:"):
            self.installs = True
            number = line.count(",") + 1
            self._print(f"  installing {number} package{'s' * (number > 1)}")

    def end(self) -> None:
        """Clear the line of a terminal."""
        if self._is_terminal:
            self._write("\r\033[K")

    def _print(self, text: str) -> None:
        self._write(f"\r{text}\033[K" if self._is_terminal else f"{text}\n")

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
