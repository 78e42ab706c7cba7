"""The trigger as a process, with its metrics and its memory."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from uuid import uuid4

import httpx
import psutil

from local.stack import ROOT
from local.stack.ports import HOST, free_port
from local.stack.stack import Stack

CLIENT = {"fetch.wait.max.ms": 10}  # as local/triggers.toml has it
TAKEN = re.compile(r"^kafka_trigger_records_taken_total\{.*\} (\S+)$", re.MULTILINE)


class Running:
    """A running trigger."""

    def __init__(self, pid: int, port: int) -> None:
        self._process = psutil.Process(pid)
        self._client = httpx.Client(base_url=f"http://{HOST}:{port}", trust_env=False)

    def accepted(self) -> float:
        """Return the number of records that the function has accepted."""
        page = self._page("/metrics")
        found = TAKEN.search(page.text) if page else None
        return float(found[1]) if found else 0

    def is_ready(self) -> bool:
        """Whether it has joined its group."""
        page = self._page("/ready")
        return page is not None and page.is_success

    def cpu_s(self) -> float:
        """Return its processor time in seconds."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def resident(self) -> float:
        """Return its resident memory in bytes."""
        return float(self._process.memory_info().rss)

    def _page(self, path: str) -> httpx.Response | None:
        try:
            return self._client.get(path)
        except httpx.TransportError:  # it begins only now
            return None


@contextmanager
def running(stack: Stack, topic: str, url: str, batch: int, extra: str = "") -> Iterator[Running]:
    """Run a trigger with its own group that delivers a topic to the function at a URL."""
    port = free_port()
    file = _configuration(stack, topic, url, batch, extra)
    command = [sys.executable, "-m", "local.kafka_trigger", "run", str(file), "--port", str(port)]
    with (stack.state.root / "bench-trigger.log").open("ab") as log:
        process = Popen(command, cwd=ROOT, stderr=log)
        try:
            yield Running(process.pid, port)
        finally:
            process.terminate()
            process.wait(30)


def _configuration(stack: Stack, topic: str, url: str, batch: int, extra: str) -> Path:
    client = "\n".join(f"{name} = {value}" for name, value in CLIENT.items())
    path = stack.state.root / f"{topic}-{batch}.toml"
    path.write_text(
        f"""
        [kafka]
        bootstrap.servers = "{stack.kafka}"
        [kafka.consumer]
        session.timeout.ms = 6000
        {client}
        [[trigger]]
        name = "bench"
        topic = "{topic}"
        group = "{uuid4()}"
        function = "{url}"
        batch_size = {batch}
        timeout_s = 60
        auto_offset_reset = "earliest"
        {extra}
        """
    )
    return path
