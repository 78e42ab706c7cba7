"""The follower as a command, beside a running stack."""

import subprocess
import sys

import httpx
import pytest

from local.stack.stack import Stack
from tests.support.builders.events import event_json
from tests.support.drivers.table import Table

COMMAND = (sys.executable, "-m", "local.follow", "--since", "0")
GOAL = event_json(eventId="followed", team="home", player="Messi", minute=23)


@pytest.mark.parametrize("way", [[], ["--poll", "0.2"]], ids=["stream", "feed"])
def test_it_prints_a_goal_until_it_is_ready_and_its_retraction(
    stack: Stack, table: Table, http: httpx.Client, way: list[str]
) -> None:
    """By the stream or by the change feed; the state of the line is not on standard output."""
    del table
    command = [*COMMAND, *way, "--highlights-url", stack.highlights_url, "--team", "home"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert process.stderr.readline() == "follow: live\n"
            http.post(f"{stack.events_url}/events", json=GOAL).raise_for_status()
            while (line := process.stdout.readline()).startswith("PENDING_AI"):
                pass
            retraction = {**GOAL, "revision": 1, "retracted": True, "reason": "VAR: offside"}
            http.post(f"{stack.events_url}/events", json=retraction).raise_for_status()
            retracted = process.stdout.readline()
        finally:
            process.kill()
    assert line.startswith("READY      23' home, Messi: ")
    assert retracted == "RETRACTED  23' home, Messi: VAR: offside\n"
