"""What the README tells people to type does what it says."""

import re
import shlex
from pathlib import Path

import httpx
import pytest

from local.embedded.stack import Stack

README = Path(__file__).parents[2] / "README.md"
COMMAND = re.compile(r"^(curl .*?)  # (\d{3})$", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)

COMMANDS = [
    (command, int(status))
    for block in SHELL.findall(README.read_text())
    for command, status in COMMAND.findall(block)
]


def test_every_curl_command_says_what_it_answers() -> None:
    """No example escapes this test."""
    blocks = "".join(SHELL.findall(README.read_text()))
    assert len(COMMANDS) == len(re.findall(r"^curl ", blocks, re.MULTILINE)) > 0


@pytest.mark.parametrize(("command", "status"), COMMANDS)
def test_a_curl_command_answers_what_the_readme_says(
    stack: Stack, http: httpx.Client, command: str, status: int
) -> None:
    """The command's request, sent to the stack, gets the status beside it."""
    request = _request(http, command, stack)
    assert http.send(request).status_code == status


def _request(http: httpx.Client, command: str, stack: Stack) -> httpx.Request:
    """The request that curl would send, to this stack's ports."""
    words = iter(shlex.split(command)[1:])
    url, headers, data = "", {}, None
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            data = next(words)
        elif word != "-i":
            url = word
    ports = {"5001": stack.events_url, "5002": stack.highlights_url}
    for port, here in ports.items():
        url = url.replace(f"http://localhost:{port}", here)
    if data is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return http.build_request("GET" if data is None else "POST", url, headers=headers, content=data)
