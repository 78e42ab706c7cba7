"""The Kafka trigger as a process, with its topic and its function."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from local.stack import ROOT
from local.stack.ports import free_port
from tests.support.drivers.broker import Broker
from tests.support.drivers.probes import Probes
from tests.support.servers.function_server import FunctionServer, Reply, Request
from tests.support.waiting import eventually

PARTITIONS = 3
ASSIGNED_WITHIN_S = 120  # the broker may be restarting, on a busy machine


class Trigger:
    """A trigger's process and its log."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def log_lines(self, message: str) -> list[dict[str, Any]]:
        """Return the log's lines with this message."""
        lines = [orjson.loads(line) for line in self.log.read_bytes().splitlines()]
        return [line for line in lines if line["message"] == message]

    def wait_until_started(self) -> "Trigger":
        """Wait until it has started and handles signals."""
        eventually(lambda: bool(self.log_lines("trigger starts")))
        return self

    def wait_until_assigned(self) -> "Trigger":
        """Wait until it has partitions."""
        eventually(lambda: bool(self.log_lines("partitions assigned")), ASSIGNED_WITHIN_S)
        return self

    def end(self) -> int:
        """Send SIGTERM, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


class World:
    """One topic, one group, one function, and the triggers that connect them."""

    def __init__(self, broker: Broker, function: FunctionServer, folder: Path) -> None:
        self.broker = broker
        self.function = function
        self.folder = folder
        self.topic = broker.create(partitions=PARTITIONS)
        self.triggers = 0
        self.options: tuple[str, ...] = ()
        self.program: tuple[str, ...] = ("local.kafka_trigger",)
        self.max_poll_interval_ms = 2000
        self.accepted: list[dict[str, Any]] = []
        function.reply = self.accept

    def accept(self, request: Request) -> Reply:
        """Accept all records."""
        self.accepted += orjson.loads(request.body)
        return Reply()

    def accepted_numbers(self, partition: int | None = None) -> list[int]:
        """Return the numbers in the accepted records, in their order."""
        return [
            event["data"]
            for event in self.accepted
            if partition is None or event["kafkapartition"] == partition
        ]

    def write(self, numbers: range, partition: int = 0) -> None:
        """Write a record for each number."""
        values = [str(number).encode() for number in numbers]
        self.broker.write(self.topic, values, partition=partition)

    def is_committed(self, expected: dict[int, int]) -> bool:
        """Whether these are the group's committed offsets."""
        return self.broker.committed(self.topic, self.topic, PARTITIONS) == expected

    def serve_probes(self) -> Probes:
        """Let triggers serve their probes, on a free port."""
        port = free_port()
        self.options = ("--port", str(port))
        return Probes(port)

    @contextmanager
    def trigger(self, extra: str = "", **trigger: object) -> Iterator[Trigger]:
        """Run a trigger; it is killed after the block if it still runs."""
        self.triggers += 1
        file = self.folder / f"triggers-{self.triggers}.toml"
        log = self.folder / f"log-{self.triggers}"
        file.write_text(self.configuration(extra, trigger))
        command = [sys.executable, "-m", *self.program, "run", str(file), *self.options]
        with (
            log.open("wb") as stderr,
            subprocess.Popen(command, cwd=ROOT, env=os.environ, stderr=stderr) as process,
        ):
            try:
                yield Trigger(process, log)
            finally:
                process.kill()

    def configuration(self, extra: str, trigger: dict[str, object]) -> str:
        """Return the triggers' file, with short group time-outs."""
        settings = {
            "name": "test",
            "topic": self.topic,
            "group": self.topic,
            "function": self.function.url,
            "auto_offset_reset": "earliest",
            "batch_size": 100,
            "drain_s": self.max_poll_interval_ms * 0.75 / 1000,
            **trigger,
        }
        return "\n".join(
            [
                "[kafka]",
                f'bootstrap.servers = "{self.broker.bootstrap_servers}"',
                "topic.metadata.refresh.interval.ms = 200",
                "[kafka.consumer]",
                "session.timeout.ms = 2000",
                f"max.poll.interval.ms = {self.max_poll_interval_ms}",
                "heartbeat.interval.ms = 100",
                "fetch.wait.max.ms = 5",
                extra,
                "[[trigger]]",
                "retry = { max_attempts = 3, initial_backoff_s = 0.05, max_backoff_s = 0.5 }",
                *(f"{name} = {orjson.dumps(value).decode()}" for name, value in settings.items()),
            ]
        )
