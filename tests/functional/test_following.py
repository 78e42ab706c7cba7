"""The examples of docs/following.md, run against a small GoalStream whose line breaks."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.responses import Response

from tests.support.pages import section
from tests.support.servers.highlights_server import HighlightsServer, running_highlights

PAGE = "docs/following.md"
KEEP_RUNNING = "setInterval(() => {}, 1000)"  # while its EventSource waits, Node would end
NODE = ("node", "--experimental-eventsource", "--no-warnings")
LONGEST_EXAMPLE = 25  # lines of the example itself
SERVER = "http://localhost:5002"


@pytest.fixture
def server() -> Iterator[HighlightsServer]:
    """A server with one highlight."""
    with running_highlights() as running:
        running.change("a", title="first")
        yield running


def example(title: str) -> str:
    """Return the code under a heading."""
    (code,) = re.findall(r"```(?:python|js)\n(.*?)```", section(PAGE, title), re.DOTALL)
    return str(code)


def node() -> tuple[str, ...]:
    """Return the command of Node; skip the test where it is missing or has no EventSource."""
    if shutil.which(NODE[0]) is None:
        pytest.skip("Node is not installed here")
    if subprocess.run([*NODE, "--eval", "0"], capture_output=True, check=False).returncode:
        pytest.skip("this Node has no EventSource")
    return NODE


@contextmanager
def running(
    title: str, server: HighlightsServer, folder: Path
) -> Iterator["subprocess.Popen[str]"]:
    """Run the example of a section against a server."""
    code = example(title)
    assert SERVER in code
    command: tuple[str, ...]
    if title == "In Python":
        command, name, end = (sys.executable, "-u"), "follow.py", ""
    else:
        command, name, end = node(), "follow.mjs", KEEP_RUNNING
    file = folder / name
    file.write_text(code.replace(SERVER, server.url) + end, encoding="utf-8")
    with subprocess.Popen([*command, file], stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: "subprocess.Popen[str]", prefix: str = "READY") -> str:
    """Return the next line with a prefix."""
    assert process.stdout is not None
    while (text := process.stdout.readline()) and not text.startswith(prefix):
        pass
    return text.removeprefix(prefix).strip()


LANGUAGES = pytest.mark.parametrize("title", ["In Python", "In JavaScript"])


@LANGUAGES
def test_an_example_is_short(title: str) -> None:
    """Imports, blank lines and the call at the end are not counted."""
    lines = [
        each
        for each in example(title).splitlines()
        if each.strip() and not re.match(r"import |from |const url|URL|follow\(", each)
    ]
    assert len(lines) <= LONGEST_EXAMPLE


@LANGUAGES
def test_an_example_misses_nothing(title: str, server: HighlightsServer, tmp_path: Path) -> None:
    """It tells the page and what changes, whatever happens to the line, and after a reset all."""
    server.failures.append(Response(status_code=503))
    with running(title, server, tmp_path) as process:
        assert line(process) == "first"
        server.change("a", title="corrected")
        assert line(process) == "corrected"
        server.streams.extend(["cut", "", "end", ""])
        server.failures.append(Response(status_code=503))
        server.change("b", title="cut off once")
        assert line(process) == "cut off once"
        server.change("b", title="of a server that stops")
        assert line(process) == "of a server that stops"
        server.epoch = "2"
        server.streams.append("end")
        server.change("b", title="after a restore")
        assert [line(process), line(process)] == ["corrected", "after a restore"]
        server.change("a", status="RETRACTED", title="gone")
        assert line(process, "RETRACTED") == "gone"
