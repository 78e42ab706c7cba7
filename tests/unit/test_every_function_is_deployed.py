"""Each folder of `functions` with a main.py is a function wherever there are functions."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import pytest
import yaml

from functions.shared.settings.base import Settings
from functions.stream_highlights.hub import CATCH_UPS_AT_ONCE
from functions.stream_highlights.settings import StreamHighlightsSettings
from local.stack import ROOT
from local.stack.services import functions
from tests.support.cloudformation import MSK, secret, transformed
from tests.support.drivers import containers
from tests.support.kustomize import Object, build, pod_of

Deployed = Mapping[str, set[str]]  # the services that each function is given, by their variables

NAMES = {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}
SERVICES = {"KAFKA": "kafka", "DATABASE": "postgres", "REDIS": "redis"}
# An instance of Lambda has one request at a time.
NOT_ON_AWS = {"stream_highlights"}
DATABASE = {"DATABASE_URL": "postgresql://user@127.0.0.1/goalstream"}
CADDYFILE = (ROOT / "local/gateway/Caddyfile").read_text()


def settings_of(name: str) -> type[Settings]:
    """Return the model of a function's settings."""
    module = import_module(f"functions.{name}.settings")
    model: type[Settings] = getattr(module, name.title().replace("_", "") + "Settings")
    return model


def variables_of(name: str) -> set[str]:
    """Return the variables of a function."""
    return {str(field.alias) for field in settings_of(name).model_fields.values()}


def services(variables: Iterable[str]) -> set[str]:
    """Return the services that variables are about."""
    return {SERVICES[start] for each in variables if (start := each.partition("_")[0]) in SERVICES}


def compose(file: str) -> dict[str, dict[str, str]]:
    """Return the variables of each function of a Compose file."""
    found = yaml.safe_load((ROOT / file).read_text())["services"]
    return {
        name: found[service].get("environment", {})
        for name in NAMES
        if (service := name.replace("_", "-")) in found
    }


def of_compose(file: str) -> Deployed:
    """Return the functions of a Compose file."""
    return {name: services(given) for name, given in compose(file).items()}


@cache
def objects(place: str) -> list[Object]:
    """Return the objects of Cloud Run's services, or of Knative's base."""
    if place == "Knative":
        return build(ROOT / "infra/knative/base")
    return [yaml.safe_load(each.read_text()) for each in (ROOT / "infra/gcp/services").iterdir()]


def instances(place: str) -> Mapping[str, Object]:
    """Return the specification of each function's instances."""
    found = [pod_of(each) for each in objects(place) if each["kind"] == "Service"]
    return {environment(each)["FUNCTION_TARGET"]: each for each in found}


def environment(instance: Object) -> dict[str, str]:
    """Return the variables of an instance that have a value of their own."""
    return {each["name"]: each.get("value", "") for each in instance["containers"][0]["env"]}


def of_cloud_run() -> Deployed:
    """Return the functions of Cloud Run."""
    found = instances("Cloud Run")
    return {name: services(environment(instance)) for name, instance in found.items()}


def of_knative() -> Deployed:
    """Return the functions of Knative; network policies say which services each reaches."""
    policies = {
        each["metadata"]["name"]: str(each["spec"]["podSelector"]).split("'")
        for each in objects("Knative")
        if each["kind"] == "NetworkPolicy"
    }
    return {
        name: {each for each in SERVICES.values() if name.replace("_", "-") in policies[each]}
        for name in instances("Knative")
    }


def aws(**parameters: str) -> dict[str, dict[str, Any]]:
    """Return the variables of each function of AWS Lambda."""
    resources = transformed(MSK | parameters)["Resources"].values()
    found = [
        each["Properties"]["Environment"]["Variables"]
        for each in resources
        if each["Type"] == "AWS::Lambda::Function"
    ]
    return {each["FUNCTION_TARGET"]: each for each in found if "FUNCTION_TARGET" in each}


def of_aws() -> Deployed:
    """Return the functions of AWS Lambda."""
    return {name: services(given) for name, given in aws().items()}


def cloud_run() -> dict[str, dict[str, str]]:
    """Return the variables of each function of Cloud Run."""
    return {name: environment(each) for name, each in instances("Cloud Run").items()}


def knative() -> dict[str, dict[str, str]]:
    """Return the variables of each function of Knative, which all have the common ones."""
    [common] = [each["data"] for each in objects("Knative") if each["kind"] == "ConfigMap"]
    return {name: common | environment(each) for name, each in instances("Knative").items()}


PLACES: dict[str, Callable[[], Deployed]] = {
    "docker-compose.yml": lambda: of_compose("docker-compose.yml"),
    "docker-compose.tls.yml": lambda: of_compose("docker-compose.tls.yml"),
    "Cloud Run": of_cloud_run,
    "Knative": of_knative,
    "AWS": of_aws,
}


VARIABLES: dict[str, Callable[[], Mapping[str, Mapping[str, Any]]]] = {
    "docker-compose.yml": lambda: compose("docker-compose.yml"),
    "Cloud Run": cloud_run,
    "Knative": knative,
    "AWS": aws,
}


@pytest.mark.parametrize("place", VARIABLES)
def test_all_that_write_or_show_texts_have_the_same_languages(place: str) -> None:
    """Else a reader would find no text in theirs, or another one in a list than in the stream."""
    given = VARIABLES[place]()
    of_texts = [name for name in given if "LANGUAGES" in variables_of(name)]
    assert {"enrich_batch", "list_highlights", "get_highlight"} <= {*of_texts}
    languages = given["enrich_batch"]["LANGUAGES"]
    assert all(given[name]["LANGUAGES"] == languages for name in of_texts)
    assert given["enrich_batch"]["ENRICH_STYLE"]


def test_an_operator_of_a_cloud_chooses_the_enricher_and_its_key_is_a_secret() -> None:
    """Of enrich-batch alone."""
    chosen = {"ENRICHER", "ENRICHER_URL", "OPENAI_BASE_URL", "OPENAI_MODEL"}
    keys = {"ENRICHER_API_KEY", "OPENAI_API_KEY"}
    of_aws, of_cloud_run = aws(EnricherKeySecretArn=secret("enricher")), cloud_run()
    assert chosen | keys <= of_aws["enrich_batch"].keys()
    reference = {"Fn::Sub": "aws-secretsmanager:${EnricherKeySecretArn}"}
    assert all(of_aws["enrich_batch"][key] == reference for key in keys)
    assert chosen | {f"{key}_FILE" for key in keys} <= of_cloud_run["enrich_batch"].keys()
    assert not keys & aws()["enrich_batch"].keys()
    for given in (of_aws, of_cloud_run):
        assert [name for name in given if "ENRICHER" in f"{given[name]}"] == ["enrich_batch"]


@pytest.mark.parametrize("place", PLACES)
def test_every_function_is_there_with_the_services_of_its_settings(place: str) -> None:
    """And with no others."""
    expected = {
        name: services(variables_of(name))
        for name in NAMES - (NOT_ON_AWS if place == "AWS" else set())
    }
    assert PLACES[place]() == expected


def test_every_function_is_in_the_stack_and_in_the_tests_of_containers() -> None:
    """With health checks that are soon enough for the latter."""
    assert set(functions.NAMES) == NAMES
    assert {each.replace("-", "_") for each in containers.FUNCTIONS} == NAMES
    soon = yaml.safe_load((ROOT / containers.SOON).read_text())["services"]
    assert soon.keys() == {*containers.LASTING}


def test_every_function_that_clients_call_is_behind_the_gateway() -> None:
    """At the address that the stack gives it, and at that of its container."""
    behind = dict(re.findall(r"import function \{\$(\w+):([\w-]+):8080\}", CADDYFILE))
    assert behind == {name.upper(): name.replace("_", "-") for name in functions.PUBLIC}
    assert set(containers.PUBLIC) == set(behind.values())


@pytest.mark.parametrize("place", ["Cloud Run", "Knative"])
def test_a_stream_ends_by_itself_before_it_is_cut_off(place: str) -> None:
    """An instance gets no more clients than it admits, or refuses them itself.

    Clients that catch up leave a connection to the database for all others.
    """
    instance = instances(place)["stream_highlights"]
    filled = environment(instance) | {"LANGUAGES": "en"} | DATABASE
    settings = StreamHighlightsSettings.model_validate(filled)
    assert settings.stream_max_age_s < instance["timeoutSeconds"]
    assert instance["containerConcurrency"] in (0, settings.stream_max_clients)
    assert settings.database_pool_size > CATCH_UPS_AT_ONCE
