"""The properties of every service in docker-compose.yml, without running it."""

import json
import re
from typing import Any

import pytest
import yaml

from functions.enrich_batch.remote.settings import EnricherSettings
from functions.shared.http.readiness import TIMEOUT_S
from infra.roles import READER, WRITER
from local.stack import ROOT
from local.stack.services import functions
from tests.support.drivers.containers import PUBLIC, REACHABLE

COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
IMAGES = (ROOT / "infra/images.env").read_text()
IMAGE_TAGS = dict(re.findall(r"\$\{(\w+_IMAGE):-([^}]*)\}", COMPOSE))
RENOVATE: dict[str, Any] = json.loads((ROOT / ".github/renovate.json").read_text())
NETWORKS = {name: each.get("networks", []) for name, each in SERVICES.items()}
TOOLS = {"kafka-trigger", "cron", "replay"}
LASTING = {name: each for name, each in SERVICES.items() if each["restart"] == "unless-stopped"}


def test_env_example_has_every_variable_with_its_default() -> None:
    """It lists the variables of docker-compose.yml and what may be added to it, and no others."""
    files = "".join(path.read_text() for path in ROOT.glob("docker-compose*.yml"))
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", files))
    switches = dict.fromkeys(re.findall(r"\$\{(\w+):\+", files), "")
    listed = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert listed == defaults | switches


def test_only_enrich_batch_gets_a_way_out_for_an_endpoint() -> None:
    """With all variables of its enrichers, and the key in a file; nothing else changes."""
    added = yaml.safe_load((ROOT / "docker-compose.enricher.yml").read_text())
    assert added["networks"] == {"enricher": {}}
    assert added["services"].keys() == {"enrich-batch"}
    service = added["services"]["enrich-batch"]
    assert service["networks"] == ["enricher"]
    own = {str(field.alias) for field in EnricherSettings.model_fields.values()}
    given = {name.removesuffix("_FILE") for name in service["environment"]}
    assert given == own - {"LOG_LEVEL"}
    keys = {name for name in given if name.endswith("_API_KEY")}
    assert {service["environment"][f"{name}_FILE"] for name in keys} == {
        "/run/secrets/enricher_key"
    }
    assert service["secrets"] == ["enricher_key"]
    assert {added["secrets"]["enricher_key"]["file"]} == {*service["labels"].values()}


def test_every_image_has_a_digest_that_renovate_updates() -> None:
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


def test_every_base_image_is_a_variable() -> None:
    """Every image that Compose runs is our own or a variable."""
    text = (ROOT / "Dockerfile").read_text()
    stages = set(re.findall(r"^FROM .* AS (\w+)$", text, re.MULTILINE))
    bases = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages
    assert bases == {"${PYTHON_IMAGE}", "${CADDY_IMAGE}"}
    assert dict(re.findall(r"^ARG (\w+)=(.*)$", text, re.MULTILINE)).items() <= IMAGE_TAGS.items()
    images = {each["image"] for each in SERVICES.values() if "build" not in each}
    assert all(re.match(r"\$\{\w+_IMAGE:-", image) for image in images)


def test_access_is_set_for_each_service_that_decides_on_it() -> None:
    """The functions that people call, and the gateway, which answers some requests itself."""
    gateway = {"TRUSTED_PROXIES", "CORS_ORIGINS"}
    public = gateway | {"RATE_LIMIT", "API_KEYS_FILE"}
    read = public | {"CACHE_S_MAXAGE_S"}
    for name, variables in {
        "gateway": gateway,
        "ingest-event": public,
        "list-highlights": read,
        "get-highlight": read,
        "stream-highlights": public,
    }.items():
        assert variables <= SERVICES[name]["environment"].keys(), name


def test_the_names_of_our_images_are_unique() -> None:
    """They are not pulled; with one name for several, `watch` would stop all of them."""
    assert not any("image" in each for each in SERVICES.values() if "build" in each)
    watched = {name for name, each in SERVICES.items() if "develop" in each}
    assert watched == {*(name.replace("_", "-") for name in functions.NAMES), *TOOLS}


def test_every_function_is_a_service() -> None:
    """With the source and the name for functions-framework."""
    for name in functions.NAMES:
        environment = SERVICES[name.replace("_", "-")]["environment"]
        assert environment["FUNCTION_TARGET"] == name
        assert environment["FUNCTION_SOURCE"] == f"functions/{name}/main.py"


def test_a_function_is_healthy_when_it_is_ready() -> None:
    """The gateway waits for that before it accepts requests; the check has a time-out."""
    for name in functions.NAMES:
        [*_, program] = SERVICES[name.replace("_", "-")]["healthcheck"]["test"]
        [timeout_s] = re.findall(r"8080/ready', timeout=(\d+)\)", program)
        assert float(timeout_s) > TIMEOUT_S
    for name in (*PUBLIC, "kafka-trigger", "cron"):
        assert SERVICES["gateway"]["depends_on"][name] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_no_privileges_and_limits_of_memory_and_logs(name: str) -> None:
    """No capabilities, no new privileges, a limit of memory and of logs."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", LASTING)
def test_every_long_running_service_has_a_health_check(name: str) -> None:
    """And waits at its start for the services that it depends on."""
    assert LASTING[name]["healthcheck"]["test"]
    assert all(
        each["condition"] != "service_started"
        for each in LASTING[name].get("depends_on", {}).values()
    )


@pytest.mark.parametrize("name", REACHABLE)
def test_a_service_reaches_only_the_services_that_it_needs(name: str) -> None:
    """The services on a common network."""
    networks = set(NETWORKS[name])
    near = {other for other in LASTING if networks & set(NETWORKS[other])}
    assert near - {name} == REACHABLE[name]


def test_a_function_logs_in_with_the_least_privileged_user() -> None:
    """Over TLS too; each with its own password only."""
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
def test_a_service_is_recreated_when_its_secret_has_another_path(name: str) -> None:
    """By a label, as Compose ignores the path; Postgres reads its owner's at its first start."""
    files = {each: secret["file"] for each, secret in yaml.safe_load(COMPOSE)["secrets"].items()}
    labels = SERVICES[name].get("labels", {}).values()
    secrets = set(SERVICES[name].get("secrets", [])) - {"postgres_password"}
    assert {files[each] for each in secrets} <= set(labels)


def test_only_the_gateway_is_on_the_outside_network() -> None:
    """The others are on internal networks."""
    networks = yaml.safe_load(COMPOSE)["networks"]
    assert [each for each, on in NETWORKS.items() if "outside" in on] == ["gateway"]
    assert [name for name, each in networks.items() if not each.get("internal")] == ["outside"]
