"""The commands of the documentation do what it says, in bash and in zsh."""

import os
import re
import shlex
from pathlib import Path

import httpx
import pytest

from local.stack.stack import Stack
from tests.support.drivers.shells import in_each_shell, pasted
from tests.support.pages import CLOUDS, PAGES, TRIGGER, blocks

COMMAND = re.compile(r"^(curl .*?)  # (\d{3})$", re.DOTALL | re.MULTILINE)
# The clouds' commands are typed in tests/unit/test_infra_readme.py, the trigger's in
# tests/integration/test_trigger_readme.py.
BLOCKS = [
    block
    for name, page in PAGES.items()
    if name not in {*CLOUDS, *TRIGGER}
    for block in blocks(page)
]
COMMANDS = [
    (command, int(status)) for block in BLOCKS for command, status in COMMAND.findall(block)
]
# The other blocks, and the tests that run them.
ELSEWHERE = {
    "git clone <this repository> goalstream": "tests/support/checkout.py",
    "cd goalstream": "tests/support/checkout.py",
    "make demo": "tests/integration/test_laptops.py",
    "make test": "this",
    "docker compose up --build --wait": "tests/e2e/test_readme.py",
    "docker compose run --build --rm replay": "tests/e2e/test_readme.py",
    "docker compose down": "tests/e2e/test_readme.py",
    "docker compose -f docker-compose.yml -f docker-compose.enricher.yml up --build --wait": (
        "tests/e2e/test_enricher.py"
    ),
    "docker compose build": "tests/e2e/test_upgrade.py",
    "docker compose run --rm migrations": "tests/e2e/test_upgrade.py",
    "docker compose up --wait": "tests/e2e/test_upgrade.py",
}

MODULES = sorted(
    {
        " ".join(command.split())
        for page in PAGES.values()
        for command in re.findall(r"`(\.venv/bin/python -m [^`]+)`", page)
    }
)
# Of what goes on, takes minutes or writes into this checkout.
INSTEAD = {
    "local.kafka_trigger run": "--help",
    "local.cron": "--help",
    "local.follow": "--help",
    "tests.benchmarks": "--help",
    "tests.integration.statements": "--help",
    "infra.openapi": "--check",
    "infra.asyncapi": "--check",
}
USAGE = 2


def test_every_command_is_tested() -> None:
    """Every example is tested, and each curl command documents its answer."""
    lines = [line for block in BLOCKS for line in block.splitlines()]
    assert len(COMMANDS) == sum(line.startswith("curl ") for line in lines) > 0
    rest = COMMAND.sub("", "\n".join(map(str.rstrip, BLOCKS))).split("\n")
    assert set(filter(None, map(str.strip, rest))) == set(ELSEWHERE)


def test_python_is_never_that_of_the_system() -> None:
    """Only the Python of `make setup` has the packages, unless the line changes the PATH."""
    for name, page in PAGES.items():
        commands = re.findall(r"(\S+) (\S*?)python3? -m ", " ".join(page.split()))
        bare = {before for before, path in commands if not path.endswith(".venv/bin/")}
        assert bare <= {"local.env", "enrich-batch"} or name in TRIGGER, name


@pytest.mark.parametrize(("command", "status"), COMMANDS)
def test_a_curl_command_answers_what_the_page_says(
    stack: Stack, http: httpx.Client, command: str, status: int
) -> None:
    """The command's request, sent to the stack, gets the status beside it."""
    request = _request(http, command, stack)
    assert http.send(request).status_code == status


@in_each_shell
def test_curl_commands_can_be_pasted(stack: Stack, shell: str, tmp_path: Path) -> None:
    """All of them in sequence, with their comments; curl prints each status."""
    (tmp_path / ".curlrc").write_text('write-out = "\\nstatus %{http_code}\\n"\nnoproxy = "*"\n')
    page = "\n".join(f"{command}  # {status}" for command, status in COMMANDS)
    done = pasted(shell, _here(page, stack), {**os.environ, "CURL_HOME": str(tmp_path)})
    if "curl: command not found" in done.stderr:
        pytest.skip("curl is not installed")
    answers = re.findall(r"^status (\d+)$", done.stdout, re.MULTILINE)
    assert list(map(int, answers)) == [status for _, status in COMMANDS], done.stderr


@in_each_shell
@pytest.mark.parametrize("command", MODULES)
def test_a_command_of_python_can_be_pasted(stack: Stack, shell: str, command: str) -> None:
    """In the checkout, with the stack's variables: it works, or prints its usage."""
    module = command.removeprefix(".venv/bin/python -m ")
    instead = next((f" {how}" for name, how in INSTEAD.items() if module.startswith(name)), "")
    environ = {**os.environ, **stack.addresses.environment}
    environ["GOALSTREAM_STATE"] = str(stack.state.root)
    done = pasted(shell, command.replace("COMMAND", "true") + instead, environ)
    assert done.returncode in (0, USAGE), done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or "usage: " in done.stderr


def _here(command: str, stack: Stack) -> str:
    """Return a command with this stack's ports."""
    for port, url in (("5001", stack.events_url), ("5002", stack.highlights_url)):
        command = command.replace(f"http://localhost:{port}", url)
    return command


def _request(http: httpx.Client, command: str, stack: Stack) -> httpx.Request:
    """Send the request that curl would send, to this stack's ports."""
    words = iter(shlex.split(_here(command, stack))[1:])
    url, headers, data = "", {}, None
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            data = next(words)
        elif word != "-i":
            url = word
    if data is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return http.build_request("GET" if data is None else "POST", url, headers=headers, content=data)
