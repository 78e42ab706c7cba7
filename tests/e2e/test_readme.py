"""The README's section on containers, word for word."""

import re
import shlex

from tests.support.drivers.containers import Containers
from tests.support.pages import section
from tests.support.tournament import GOALS_OF_2022
from tests.support.waiting import eventually

SECTION = section("README.md", "In containers")


def test_its_commands_do_what_it_says(containers: Containers) -> None:
    """Up, replay, down: and up again finds every highlight."""
    commands = re.findall(r"^docker compose (.*?)(?: +#.*)?$", SECTION, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["up", "run", "down"]
    for command in commands:
        containers.compose(*shlex.split(command))
    assert not any(containers.ids("ingest-event"))
    containers.up()
    eventually(lambda: containers.statuses() == {"READY": GOALS_OF_2022})
