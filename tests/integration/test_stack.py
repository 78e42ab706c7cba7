"""The whole stack on one machine, and the command that runs it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import httpx
import psutil
import pytest

from local.stack import StackError
from local.stack.addresses import FREE_PORTS, Ports, choose
from local.stack.connectivity import KAFKA_PORT
from local.stack.ports import HOST, free_port, is_free
from local.stack.services.functions import NAMES
from local.stack.stack import Stack, running_stack
from local.stack.state import State
from local.supervisor import NotReady
from local.supervisor.process_registry import REGISTRY_VARIABLE
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "local.stack")
MATCH = "00000000-0000-0000-0000-000000000001"
EVENT = {
    "matchId": MATCH,
    "occurredAt": "2025-12-08T20:16:00Z",
    "eventType": "goal",
    "team": "home",
    "player": "John Doe",
    "description": "Curled it into the top corner from outside the box.",
}
LIMIT_S = 60


def post_goal(http: httpx.Client, events_url: str, event_id: str) -> str:
    """Post a goal, with retries while a function is unavailable; return its highlight's path."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        answer = http.post(f"{events_url}/events", json={**EVENT, "eventId": event_id})
        if answer.status_code == 202:
            return answer.headers["Location"]
        assert answer.status_code == 503, answer.text
        assert time.monotonic() < deadline
        time.sleep(0.1)


def status(http: httpx.Client, url: str) -> str | None:
    """Return a highlight's status, or None while it cannot be read."""
    answer = http.get(url)
    return answer.json()["status"] if answer.status_code == 200 else None


@pytest.mark.usefixtures("table")  # what others posted would fill the list's first page
def test_a_goal_becomes_a_ready_highlight(stack: Stack, http: httpx.Client) -> None:
    """From POST /events to GET /highlights, through all processes."""
    path = post_goal(http, stack.events_url, "first")
    eventually(lambda: status(http, stack.highlights_url + path) == "READY")
    shown = http.get(f"{stack.highlights_url}/highlights", params={"matchId": MATCH}).json()
    titles = {each["id"]: each["title"] for each in shown}
    assert titles[path.rpartition("/")[2]] == "Home GOAL by John Doe"


@pytest.mark.parametrize("name", [*NAMES, "trigger", "broker", "postgres", "valkey", "gateway"])
def test_a_killed_process_restarts_and_goals_become_ready_again(
    stack: Stack, http: httpx.Client, name: str
) -> None:
    """SIGKILL for one process and its descendants; no function has to restart for it."""
    others = {each: stack.processes[each].pid for each in NAMES if each != name}
    post_goal(http, stack.events_url, f"before the death of {name}")
    process = stack.processes[name]
    before = process.pid
    process.kill()
    eventually(lambda: process.pid not in (None, before))
    process.wait_ready()
    eventually(stack.processes["topics"].is_ready)
    path = post_goal(http, stack.events_url, f"after the death of {name}")
    eventually(lambda: status(http, stack.highlights_url + path) == "READY")
    assert others == {each: stack.processes[each].pid for each in others}


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_worker_is_replaced_by_its_server(stack: Stack, name: str) -> None:
    """A function's server replaces its own workers."""
    process = stack.processes[name]
    server = process.pid
    [worker] = psutil.Process(server).children()
    process.kill_workers()
    eventually(lambda: not worker.is_running())
    process.wait_ready()
    assert process.pid == server


def test_postgres_keeps_its_data_over_a_restart(stack: Stack, http: httpx.Client) -> None:
    """READY highlights are still there, and new ones become READY."""
    before = post_goal(http, stack.events_url, "before the restart")
    eventually(lambda: status(http, stack.highlights_url + before) == "READY")
    stack.processes["postgres"].restart()
    eventually(lambda: status(http, stack.highlights_url + before) == "READY")
    after = post_goal(http, stack.events_url, "after the restart")
    eventually(lambda: status(http, stack.highlights_url + after) == "READY")


@pytest.mark.parametrize(
    ("variable", "url", "service"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka.example:9092", "kafka"),
        ("DATABASE_URL", "postgresql://me:secret@db.example:5432/goals", "postgres"),
        ("REDIS_URL", "rediss://cache.example:6379/0", "redis"),
    ],
)
def test_a_real_service_is_used_where_the_environment_names_one(
    variable: str, url: str, service: str
) -> None:
    """Then it is not embedded, but the others are; an empty variable names none."""
    names = {"KAFKA_BOOTSTRAP_SERVERS": "", "DATABASE_URL": "", "REDIS_URL": "", variable: url}
    addresses = choose(FREE_PORTS, names)
    services = {name: getattr(addresses, name) for name in ("kafka", "postgres", "redis")}
    assert [name for name, each in services.items() if each.port is None] == [service]
    assert addresses.settings[variable] == url


@pytest.mark.parametrize(
    ("variable", "url", "address"),
    [
        ("DATABASE_URL", "postgresql://me:secret@127.0.0.1:{port}/goals", "127.0.0.1:{port}"),
        ("REDIS_URL", "redis://127.0.0.1:{port}/0", "127.0.0.1:{port}"),
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:{port},localhost:{port}", "localhost:{port}"),
    ],
)
def test_a_real_service_that_cannot_be_reached_is_an_error_of_one_line(
    tmp_path: Path, variable: str, url: str, address: str
) -> None:
    """With its host and port, and without its password."""
    port = free_port()
    stack = running_stack(tmp_path, environ={variable: url.format(port=port)})
    with pytest.raises(StackError) as error, stack:
        pytest.fail("it came up")
    assert str(error.value).startswith(f"{variable} is set, but nothing answers at ")
    assert address.format(port=port) in str(error.value)
    assert "secret" not in str(error.value)


def test_the_error_of_a_process_is_reported_and_all_is_stopped(tmp_path: Path) -> None:
    """Such as a wrong setting, with the function's own message."""
    stack = running_stack(tmp_path, settings={"LOG_LEVEL": "LOUD"})
    with pytest.raises(NotReady, match="LOG_LEVEL is wrong"), stack:
        pytest.fail("it came up")
    assert processes_of(tmp_path) == []


def fail(*options: str | Path) -> str:
    """Run the command, which cannot start; return its standard error."""
    done = subprocess.run(
        (*COMMAND, *options), cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode in (1, 2)
    return done.stderr


def test_a_taken_port_is_an_error_of_one_line_that_names_the_variable(tmp_path: Path) -> None:
    """Before anything else starts."""
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        events = fail("--state", tmp_path, "--events-port", str(port))
        highlights = fail("--state", tmp_path, "--events-port=0", f"--highlights-port={port}")
    assert events == f"port {port} is taken; set GOALSTREAM_EVENTS_PORT to another\n"
    assert highlights == f"port {port} is taken; set GOALSTREAM_HIGHLIGHTS_PORT to another\n"
    assert not any(State(tmp_path).logs.iterdir())


def test_two_equal_ports_are_an_error_of_one_line(tmp_path: Path) -> None:
    """Before the gateway fails."""
    port = str(free_port())
    output = fail("--state", tmp_path, "--events-port", port, "--highlights-port", port)
    names = "GOALSTREAM_EVENTS_PORT and GOALSTREAM_HIGHLIGHTS_PORT"
    assert output == f"{names} are both {port}; set one to another\n"


def test_a_broker_that_does_not_get_port_9092_is_reported(tmp_path: Path) -> None:
    """Another server uses that port."""
    output: list[str] = []
    elsewhere = {"DATABASE_URL": f"postgresql://{HOST}:{free_port()}/none"}
    listener = socket.create_server((HOST, KAFKA_PORT)) if is_free(KAFKA_PORT) else nullcontext()
    stack = running_stack(
        tmp_path, ports=Ports(kafka=None), environ=elsewhere, print_line=output.append
    )
    with listener, pytest.raises(StackError), stack:
        pytest.fail("it came up")
    found = re.fullmatch(rf"port {KAFKA_PORT} is taken; the broker has (\d+)", output[-1])
    assert found
    assert int(found[1]) != KAFKA_PORT


def test_two_stacks_cannot_share_a_state_folder(tmp_path: Path) -> None:
    """They would overwrite each other's data."""
    with State(tmp_path).lock():
        output = fail("--state", tmp_path)
    assert output.startswith(f"a stack runs on {tmp_path} already (process {os.getpid()});")
    assert output.count("\n") == 1


@pytest.mark.parametrize("port", ["x", "-1", "65536", "5001.5"])
def test_a_wrong_port_is_an_error_without_a_traceback(tmp_path: Path, port: str) -> None:
    """Ports are numbers from 0 to 65535."""
    output = fail("--state", tmp_path, f"--events-port={port}")
    assert f"'{port}' is not a port" in output
    assert "Traceback" not in output


def test_a_state_folder_that_cannot_be_made_is_an_error_of_one_line(tmp_path: Path) -> None:
    """Such as a folder below a file."""
    (tmp_path / "file").touch()
    output = fail("--state", tmp_path / "file" / "state")
    assert output.count("\n") == 1
    assert "Not a directory" in output


@contextmanager
def command(state: Path) -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """The running command, with the URLs that it has printed."""
    options = ("--state", str(state), "--events-port=0", "--highlights-port=0")
    with subprocess.Popen((*COMMAND, *options), cwd=ROOT, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        urls: dict[str, str] = {}
        for line in up.stdout:
            if found := re.match(r"\s+(events|highlights)\s+(http://[^/]+)", line):
                urls[found[1]] = found[2]
            if line.strip().startswith("state"):
                break
        try:
            yield up, urls
        finally:
            up.kill()


def processes_of(state: Path) -> list[psutil.Process]:
    """The running processes of a stack."""
    return [process for process in psutil.process_iter() if belongs_to(process, State(state))]


def belongs_to(process: psutil.Process, state: State) -> bool:
    """Whether a process belongs to the stack of a state folder."""
    try:
        return process.environ().get(REGISTRY_VARIABLE) == str(state.registry)
    except psutil.Error:
        return False


def test_the_command_leaves_no_process_behind_and_postgres_keeps_its_data(
    tmp_path: Path, http: httpx.Client
) -> None:
    """SIGKILL, the next start, then SIGTERM: exit status 0 and the goal still there."""
    with command(tmp_path) as (killed, urls):
        path = post_goal(http, urls["events"], "kept")
        eventually(lambda: status(http, urls["highlights"] + path) == "READY")
        assert len(processes_of(tmp_path)) >= len(NAMES)
        killed.kill()
    with command(tmp_path) as (stopped, urls):
        assert status(http, urls["highlights"] + path) == "READY"
        stopped.send_signal(signal.SIGTERM)
        assert stopped.wait(LIMIT_S) == 0
    assert processes_of(tmp_path) == []
    assert not State(tmp_path).registry.exists()


def test_ctrl_c_during_the_start_stops_what_has_started(tmp_path: Path) -> None:
    """A second Ctrl-C changes nothing."""
    options = ("--state", str(tmp_path), "--events-port=0", "--highlights-port=0")
    with subprocess.Popen((*COMMAND, *options), cwd=ROOT, stdout=subprocess.PIPE) as starting:
        eventually(lambda: len(processes_of(tmp_path)) > 0)
        starting.send_signal(signal.SIGINT)
        starting.send_signal(signal.SIGINT)
        assert starting.wait(LIMIT_S) == 0
    assert processes_of(tmp_path) == []
