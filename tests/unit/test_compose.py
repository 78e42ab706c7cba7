"""docker-compose.yml holds what is promised of every service, without running it."""

import json
import re
from typing import Any

import pytest
import yaml

from functions.shared.http.readiness import TIMEOUT_S
from infra.roles import READER, WRITER
from local.stack import ROOT
from local.stack.services import functions
from tests.support.drivers.containers import REACHABLE

COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
IMAGES = (ROOT / "infra/images.env").read_text()
IMAGE_TAGS = dict(re.findall(r"\$\{(\w+_IMAGE):-([^}]*)\}", COMPOSE))
RENOVATE: dict[str, Any] = json.loads((ROOT / ".github/renovate.json").read_text())
NETWORKS = {name: each.get("networks", []) for name, each in SERVICES.items()}
TOOLS = {"kafka-trigger", "cron", "replay"}
LASTING = {name: each for name, each in SERVICES.items() if each["restart"] == "unless-stopped"}


def test_the_example_of_env_has_every_variable_with_its_default() -> None:
    """What Compose fills in is listed there, and nothing else."""
    both = COMPOSE + (ROOT / "docker-compose.tls.yml").read_text()
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", both))
    switches = dict.fromkeys(re.findall(r"\$\{(\w+):\+", both), "")
    listed = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert listed == defaults | switches


def test_the_images_are_pinned_by_digests_that_are_kept_fresh() -> None:
    """Each default has its digest in infra/images.env, where Renovate finds it."""
    pinned = dict(re.findall(r"^(\w+)=(.*)$", IMAGES, re.MULTILINE))
    tags = {name: image.partition("@sha256:")[0] for name, image in pinned.items()}
    assert tags == IMAGE_TAGS
    assert all(re.fullmatch(r"[^@]+@sha256:[0-9a-f]{64}", image) for image in pinned.values())
    renewed = RENOVATE["customManagers"][0]
    (file,), (image,) = renewed["managerFilePatterns"], renewed["matchStrings"]
    assert re.search(file.strip("/"), "infra/images.env")
    found = re.findall(image.replace("(?<", "(?P<"), IMAGES)
    assert ["{}:{}@{}".format(*each) for each in found] == list(pinned.values())


def test_every_image_is_built_on_one_that_can_be_pinned() -> None:
    """By the variables alone; what Compose runs is ours or one of them."""
    text = (ROOT / "Dockerfile").read_text()
    stages = set(re.findall(r"^FROM .* AS (\w+)$", text, re.MULTILINE))
    bases = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages
    assert bases == {"${PYTHON_IMAGE}", "${CADDY_IMAGE}"}
    assert dict(re.findall(r"^ARG (\w+)=(.*)$", text, re.MULTILINE)).items() <= IMAGE_TAGS.items()
    images = {each["image"] for each in SERVICES.values() if "build" not in each}
    assert all(re.match(r"\$\{\w+_IMAGE:-", image) for image in images)


def test_every_image_of_ours_has_a_name_of_its_own() -> None:
    """Which no registry is asked for; one name for several would have `watch` stop all of them."""
    assert not any("image" in each for each in SERVICES.values() if "build" in each)
    watched = {name for name, each in SERVICES.items() if "develop" in each}
    assert watched == {*(name.replace("_", "-") for name in functions.NAMES), *TOOLS}


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
        assert float(timeout_s) > TIMEOUT_S
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


@pytest.mark.parametrize("name", REACHABLE)
def test_a_service_reaches_what_it_needs_and_nothing_else(name: str) -> None:
    """Those that stand on a network with it."""
    networks = set(NETWORKS[name])
    near = {other for other in LASTING if networks & set(NETWORKS[other])}
    assert near - {name} == REACHABLE[name]


def test_a_function_logs_in_as_who_may_do_no_more() -> None:
    """Over TLS too; each with the one password that is its own."""
    overlay = yaml.safe_load((ROOT / "docker-compose.tls.yml").read_text())["services"]
    for name in functions.NAMES:
        service = name.replace("_", "-")
        role = READER if name in functions.READERS else WRITER
        given = {each for each in SERVICES[service]["secrets"] if each.startswith("postgres")}
        if service == "ingest-event":
            assert "DATABASE_URL" not in SERVICES[service]["environment"]
            assert not given
            continue
        urls = [each[service]["environment"]["DATABASE_URL"] for each in (SERVICES, overlay)]
        assert all(url.startswith(f"postgresql://{role}@postgres:5432/goalstream") for url in urls)
        assert given == {f"postgres_{role.removeprefix('goalstream_')}_password"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_anew_when_another_file_has_its_secret(name: str) -> None:
    """By a label, for Compose does not look; Postgres takes its owner's at its first start."""
    files = {each: told["file"] for each, told in yaml.safe_load(COMPOSE)["secrets"].items()}
    labels = SERVICES[name].get("labels", {}).values()
    secrets = set(SERVICES[name].get("secrets", [])) - {"postgres_password"}
    assert {files[each] for each in secrets} <= set(labels)


def test_only_the_gateway_is_on_the_network_of_the_outside() -> None:
    """The others are on networks that lead nowhere."""
    networks = yaml.safe_load(COMPOSE)["networks"]
    assert [each for each, on in NETWORKS.items() if "outside" in on] == ["gateway"]
    assert [name for name, each in networks.items() if not each.get("internal")] == ["outside"]
