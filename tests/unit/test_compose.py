"""docker-compose.yml holds what is promised of every service, without running it."""

import re
from typing import Any

import pytest
import yaml

from functions.shared.readiness import LIMIT_S
from local.embedded import ROOT, functions

COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
LASTING = {name: each for name, each in SERVICES.items() if each["restart"] == "unless-stopped"}


def test_the_example_of_env_has_every_variable_with_its_default() -> None:
    """What Compose fills in is listed there, and nothing else."""
    both = COMPOSE + (ROOT / "docker-compose.tls.yml").read_text()
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", both))
    switches = dict.fromkeys(re.findall(r"\$\{(\w+):\+", both), "")
    listed = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert listed == defaults | switches


def test_every_function_is_a_service() -> None:
    """With the source and the name that functions-framework is told."""
    for name in functions.NAMES:
        environment = SERVICES[name.replace("_", "-")]["environment"]
        assert environment["FUNCTION_TARGET"] == name
        assert environment["FUNCTION_SOURCE"] == f"functions/{name}/main.py"


def test_a_function_is_healthy_when_it_is_ready() -> None:
    """The gateway, which waits for that, lets nobody in before; a look has its time."""
    for name in functions.NAMES:
        [*_, program] = SERVICES[name.replace("_", "-")]["healthcheck"]["test"]
        [timeout_s] = re.findall(r"8080/ready', timeout=(\d+)\)", program)
        assert float(timeout_s) > LIMIT_S
    for name in ("ingest-event", "list-highlights", "get-highlight", "kafka-trigger", "cron"):
        assert SERVICES["gateway"]["depends_on"][name] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_gains_rights_or_grows_without_bounds(name: str) -> None:
    """No capability, none to gain, a limit of memory and of logs."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", LASTING)
def test_a_service_that_lasts_is_asked_how_it_is(name: str) -> None:
    """And waits, at its start, for what it needs."""
    assert LASTING[name]["healthcheck"]["test"]
    assert all(
        each["condition"] != "service_started"
        for each in LASTING[name].get("depends_on", {}).values()
    )


def test_only_the_gateway_is_on_the_network_of_the_outside() -> None:
    """The others are on networks that lead nowhere."""
    networks = yaml.safe_load(COMPOSE)["networks"]
    assert [name for name, each in SERVICES.items() if "outside" in each["networks"]] == ["gateway"]
    assert [name for name, each in networks.items() if not each.get("internal")] == ["outside"]
