"""The probes of the trigger and of cron while they run."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from local.stack import ROOT
from local.stack.ports import free_port
from tests.support.drivers.broker import Broker, mock_broker
from tests.support.drivers.probes import Probes
from tests.support.drivers.trigger_process import World
from tests.support.servers.function_server import FunctionServer, Reply, Request
from tests.support.waiting import eventually


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[World]:
    """A topic, a function that accepts all records, and a trigger with probes."""
    with FunctionServer() as function:
        yield watchable(World(broker, function, tmp_path))


def watchable(world: World) -> World:
    """Let the world's trigger serve its probes; return the world."""
    world.options = ("--port", str(free_port()))
    return world


def probes_of(world: World, http: httpx.Client) -> Probes:
    """The probes of the world's trigger."""
    return Probes(int(world.options[-1]), http)


def test_a_trigger_is_ready_when_it_has_joined_and_counts_its_records(
    world: World, http: httpx.Client
) -> None:
    """It is live before and ready after joining, and the counters match the records."""
    probes = probes_of(world, http)
    for partition in range(3):
        world.write(range(200), partition)
    with world.trigger('bootstrap.servers = "127.0.0.1:1"'):  # so that it never joins
        eventually(lambda: probes.ask("/health")[0] == 200)
        joining = {"test": {"member": False, "partitions": [], "blocked": {}}}
        assert probes.ask("/ready") == (
            503,
            {"status": "not ready", "stopping": False, "triggers": joining},
        )
    with world.trigger() as trigger:
        eventually(probes.is_ready)
        joined = {"test": {"member": True, "partitions": [0, 1, 2], "blocked": {}}}
        eventually(lambda: probes.ask("/ready")[1]["triggers"] == joined)
        eventually(lambda: world.is_committed(dict.fromkeys(range(3), 200)))
        assert probes.value("kafka_trigger_records_taken_total", trigger="test") == 600
        assert probes.value("kafka_trigger_batches_total", outcome="failed") == 0
        eventually(lambda: probes.value("kafka_trigger_lag_records", partition="2") == 0)
        assert probes.ask("/health") == (200, {"status": "ok", "triggers": {"test": "ok"}})
        assert trigger.end() == 0


def test_records_of_a_slow_function_are_in_flight_and_the_trigger_is_healthy(
    world: World, http: httpx.Client
) -> None:
    """While it drains it is live but not ready."""
    asked, hold = threading.Event(), threading.Event()

    def delayed(request: Request) -> Reply:
        asked.set()
        hold.wait(20)
        return world.accept(request)

    world.function.reply = delayed
    world.write(range(150))
    probes = probes_of(world, http)
    with world.trigger() as trigger:
        assert asked.wait(20)
        eventually(lambda: probes.value("kafka_trigger_lag_records", partition="0") == 150)
        assert probes.value("kafka_trigger_records_in_flight") == 100
        assert (probes.value("kafka_trigger_oldest_undelivered_age_seconds") or 0) > 0
        trigger.process.send_signal(signal.SIGTERM)
        eventually(lambda: not probes.is_ready())
        assert probes.ask("/ready")[1]["stopping"] is True
        assert probes.ask("/health")[0] == 200
        hold.set()
        assert trigger.process.wait(20) == 0


def test_a_trigger_without_its_broker_is_healthy(world: World, http: httpx.Client) -> None:
    """It is live but not ready, as a restart would not help."""
    world.broker = Broker("127.0.0.1:1")
    probes = probes_of(world, http)
    with world.trigger() as trigger:
        eventually(lambda: b"refused" in trigger.log.read_bytes())
        assert probes.ask("/health")[0] == 200
        assert probes.ask("/ready")[0] == 503


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_one_more_trigger_than_partitions_is_ready_too(
    tmp_path: Path, http: httpx.Client, protocol: str
) -> None:
    """It is a standby without a partition, with both group protocols."""
    probes = []
    with mock_broker() as broker, FunctionServer() as function, ExitStack() as triggers:
        world = World(broker, function, tmp_path)
        for _ in range(5):
            probes.append(probes_of(watchable(world), http))
            triggers.enter_context(world.trigger(f'group.protocol = "{protocol}"'))
        eventually(lambda: all(each.is_ready() for each in probes))


@pytest.mark.parametrize("tool", ["local.kafka_trigger", "local.cron"])
def test_sigterm_during_the_start_ends_with_status_0(world: World, tool: str) -> None:
    """While imports run, before anything has started."""
    file = world.folder / "file"
    is_cron = tool == "local.cron"
    file.write_text("* * * * * a http://f\n" if is_cron else world.configuration("", {}))
    command = [sys.executable, "-m", tool, *(() if is_cron else ("run",)), str(file)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        eventually(lambda: catches_sigterm(process.pid))
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=20)
    assert (process.returncode, stderr) == (0, b"")


def catches_sigterm(pid: int) -> bool:
    """Whether a process has a SIGTERM handler, by /proc."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("tool", ["local.kafka_trigger", "local.cron"])
def test_a_taken_port_is_an_error_of_one_line(world: World, tool: str) -> None:
    """With exit status 2, before anything starts."""
    file = world.folder / "file"
    is_cron = tool == "local.cron"
    file.write_text("* * * * * a http://f\n" if is_cron else world.configuration("", {}))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        command = [sys.executable, "-m", tool, *(() if is_cron else ("run",)), str(file)]
        command += ["--port", port]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == f"--host 127.0.0.1 --port {port}: Address already in use\n"


def test_cron_counts_its_calls_and_has_the_time_of_the_last_success(
    tmp_path: Path, http: httpx.Client
) -> None:
    """By name and status class; it is live and ready while it runs."""
    replies = [Reply(500)]
    with (
        FunctionServer(lambda _: replies.pop() if replies else Reply()) as function,
        cron(tmp_path, function.url, http) as (process, probes),
    ):
        eventually(probes.is_ready)
        assert probes.value("cron_last_success_timestamp_seconds", name="sweep") == 0
        eventually(lambda: (probes.value("cron_calls_total", status="2xx") or 0) >= 2)
        assert probes.value("cron_calls_total", name="sweep", status="5xx") == 1
        assert (probes.value("cron_last_success_timestamp_seconds") or 0) > 1.6e9
        assert (probes.value("cron_call_duration_seconds_count") or 0) >= 3
        assert probes.ask("/health") == (200, {"status": "ok", "lines": {"sweep": "ok"}})
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@contextmanager
def cron(
    folder: Path, url: str, http: httpx.Client
) -> Iterator[tuple[subprocess.Popen[bytes], Probes]]:
    """Run cron, which calls `url` every second; yield its process and its probes."""
    crontab = folder / "crontab"
    crontab.write_text(f"* * * * * * sweep {url}\n")
    port = free_port()
    command = [sys.executable, "-m", "local.cron", str(crontab), "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ) as process:
        try:
            yield process, Probes(port, http)
        finally:
            process.kill()
