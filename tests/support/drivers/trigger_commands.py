"""The trigger's commands as processes, with a dead-letter topic."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from local.stack import ROOT
from tests.support.drivers.broker import Broker
from tests.support.drivers.trigger_process import World
from tests.support.servers.function_server import FunctionServer, Reply, Request

# Of a record that no text or JSON can hold: bytes, a name that comes twice, and a null.
HEADERS = [("ce_id", b"1"), ("twice", b"a"), ("twice", b"\xff"), ("null", None)]


class CommandResult(NamedTuple):
    """The exit status and the output of a command that has ended."""

    status: int
    stdout: str
    stderr: str


class CommandWorld(World):
    """A world with a triggers' file for commands and a dead-letter topic."""

    def __init__(
        self,
        broker: Broker,
        function: FunctionServer,
        folder: Path,
        dlq_topic: str | None = None,
    ) -> None:
        super().__init__(broker, function, folder)
        self.dlq_topic = dlq_topic or broker.create()
        self.file = folder / "commands.toml"
        self.file.write_text(self.configuration("", {"dead_letter_topic": self.dlq_topic}))

    def command_line(self, name: str, *arguments: str) -> list[str]:
        """Return the command line of a command with the file."""
        return [sys.executable, "-m", "local.kafka_trigger", name, str(self.file), *arguments]

    def command(self, name: str, *arguments: str) -> CommandResult:
        """Run a command with the file to its end."""
        ended = subprocess.run(
            self.command_line(name, *arguments),
            cwd=ROOT,
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        return CommandResult(ended.returncode, ended.stdout, ended.stderr)

    def status(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the partitions that `status` lists."""
        partitions: list[dict[str, Any]] = self._json("status", "--json", *arguments)["partitions"]
        return partitions

    def dead_letters(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the dead letters that `dlq list` lists."""
        document = self._json("dlq", "list", "--json", *arguments)
        dead_letters: list[dict[str, Any]] = document["deadLetters"]
        return dead_letters

    def dead_letter(self, dead_letter_id: str) -> dict[str, Any]:
        """Return the dead letter that `dlq show` shows."""
        return self._json("dlq", "show", dead_letter_id, "--json")

    def _json(self, name: str, *arguments: str) -> dict[str, Any]:
        result = self.command(name, *arguments)
        assert result.status == 0, result.stderr
        document: dict[str, Any] = json.loads(result.stdout)
        return document

    def reject_poison(self, request: Request) -> Reply:
        """Reject the records that are no JSON, one by one, and accept the others."""
        return self.reject(request, lambda event: "data_base64" in event, "poison")

    def reject(
        self, request: Request, is_rejected: Callable[[dict[str, Any]], bool], reason: str
    ) -> Reply:
        """Reject some records of a batch as not retryable, and accept the others."""
        events = orjson.loads(request.body)
        rejected = [event for event in events if is_rejected(event)]
        self.accepted += [event for event in events if event not in rejected]
        failures = [
            {
                "itemIdentifier": f"{self.topic}-{event['kafkapartition']}-{event['kafkaoffset']}",
                "retryable": False,
                "reason": reason,
            }
            for event in rejected
        ]
        return Reply(200, orjson.dumps({"batchItemFailures": failures}))
