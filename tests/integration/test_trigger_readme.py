"""The tutorial of the trigger's page, typed word for word, on free ports."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import ROOT
from local.stack.connectivity import accepts
from local.stack.ports import free_port
from tests.support.waiting import eventually

PAGE = (ROOT / "local" / "kafka_trigger" / "README.md").read_text()
SECTION = PAGE.partition("## Five minutes\n")[2].partition("\n## ")[0]
FILES = dict(re.findall(r"`(\S+)`:\n\n```\w+\n(.*?)```", SECTION, re.DOTALL))
BLOCKS = [
    block.replace("\\\n", "").splitlines()
    for block in re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
]
BASH = "/bin/bash"
GOES_ON = "  # goes on"
BROKEN, FIXED = 'event["data"]["order"]', 'event.get("data")'


class Reader:
    """Types the page's commands in a folder with the page's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {"9092": str(free_port()), "8080": str(free_port())}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.environ = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }
        (folder / ".venv").symlink_to(sys.prefix)
        for name, text in FILES.items():
            (folder / name).write_text(self.with_ports(text))

    def with_ports(self, text: str) -> str:
        """Return a text with the ports of this test."""
        return re.sub("9092|8080", lambda port: self.ports[port[0]], text)

    def type(self, line: str) -> str:
        """Type a line; return its output, unless it keeps running."""
        command = self.with_ports(line.removesuffix(GOES_ON))
        if line.endswith(GOES_ON):
            self.start(line.removesuffix(GOES_ON), f"exec {command}")
            return ""
        ended = self.run(command)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [BASH, "-c", command], cwd=self.folder, env=self.environ, text=True,
            capture_output=True, check=False, timeout=60,
        )  # fmt: skip

    def start(self, name: str, command: str) -> None:
        """Start a command in the background, with its output in its own file."""
        with (self.folder / f"{name.split()[1]}.log").open("ab") as output:
            self.running[name] = subprocess.Popen(
                [BASH, "-c", command],
                cwd=self.folder,
                env=self.environ,
                stdout=output,
                stderr=output,
            )

    def has_printed(self, line: str) -> bool:
        """Whether the function has printed this line."""
        return line in (self.folder / "function.py.log").read_text().splitlines()

    def is_listening(self, port: str) -> bool:
        """Whether the server of a port of the page is listening."""
        return accepts(int(self.ports[port]))

    def end(self, name: str) -> None:
        """Stop a command, as Ctrl-C would."""
        process = self.running.pop(name)
        process.terminate()
        process.wait(20)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader of the page; all processes are killed at the end.

    A failing test prints all their output.
    """
    reader = Reader(tmp_path)
    yield reader
    for process in reader.running.values():
        process.kill()
        process.wait()
    for log in sorted(tmp_path.glob("*.log")):
        sys.stdout.write(log.read_text())


def test_the_first_five_minutes_are_as_the_page_tells(reader: Reader) -> None:
    """Nine orders arrive; the tenth record is a dead letter until the function is fixed."""
    [broker], start, look, bring_home = BLOCKS
    reader.type(broker)
    eventually(lambda: reader.is_listening("9092"))
    for line in start:
        reader.type(line)
        if line.startswith("python function.py"):
            eventually(lambda: reader.is_listening("8080"))
    orders = [f"order {number} of customer-{number % 3}" for number in range(9)]
    eventually(lambda: all(map(reader.has_printed, orders)))
    [status, dead_letters] = look
    eventually(lambda: "offset=" in reader.type(dead_letters))
    assert "partition=0 " in reader.type(status)

    assert f"`{FIXED}` rather than `{BROKEN}`" in SECTION
    reader.end("python function.py")
    function = reader.folder / "function.py"
    function.write_text(function.read_text().replace(BROKEN, FIXED))
    reader.type("python function.py" + GOES_ON)
    [redrive] = bring_home
    assert reader.type(redrive).endswith("1 redriven, 0 failed\n")
    eventually(lambda: reader.has_printed("order None of customer-0"))
