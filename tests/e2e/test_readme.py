"""The README's section on containers, word for word."""

import re
import shlex

import httpx

from tests.support.builders.events import event_json
from tests.support.drivers.containers import ONCE, Containers
from tests.support.pages import section
from tests.support.tournament import GOALS_OF_2022
from tests.support.waiting import eventually

SECTION = section("README.md", "In containers")


def test_its_commands_do_what_it_says(containers: Containers, http: httpx.Client) -> None:
    """Up, replay, down; after another up all highlights and unread records are still there."""
    up, replay, down = re.findall(r"^docker compose (.*?)(?: +#.*)?$", SECTION, re.MULTILINE)
    assert [command.split()[0] for command in (up, replay, down)] == ["up", "run", "down"]
    for command in (up, replay):
        containers.compose(*shlex.split(command))
    containers.compose("stop", "kafka-trigger")
    posted = http.post(f"{containers.events_url}/events", json=event_json(eventId="unread"))
    assert posted.status_code == 202
    containers.compose(*shlex.split(down))
    assert not any(containers.ids("ingest-event"))
    containers.up()
    eventually(lambda: containers.statuses() == {"READY": GOALS_OF_2022 + 1})
    assert all(containers.state(service)["ExitCode"] == 0 for service in ONCE)
