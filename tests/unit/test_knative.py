"""infra/knative as kustomize builds it: each object is valid, with the documented properties."""

import json
import re
import shutil
import tomllib
from base64 import b64decode
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from functions.shared.http.readiness import TIMEOUT_S
from local.stack import ROOT
from local.stack.services import functions
from tests.support.kustomize import Object, build, pod_of
from tests.support.pages import PAGES
from tests.support.schemas import closed_schemas, knative_kafka

KUBERNETES = "1.33"
SERVING = "serving.knative.dev/v1"
OVERLAYS = ("development", "production")
BUILDS = [f"{overlay}/{way}" for overlay in OVERLAYS for way in ("kafka-source", "trigger")]
POSTGRES_CONNECTIONS = 90  # 100 by default, less ten for its superuser and administrators
# Fields that Knative accepts without a feature flag; the flag of this one is on by default.
FLAGS = {"emptyDir: feature flag - kubernetes.podspec-volumes-emptydir"}
OURS = {"goalstream-functions", "goalstream-tools"}
CACHE = "".join(path.read_text() for path in (ROOT / "functions/shared/redis").glob("*.py"))
TRIGGERS = tomllib.loads((ROOT / "local" / "triggers.toml").read_text())["trigger"]
SECRETS = {"database-owner", "database-writer", "database-reader", "kafka", "redis", "api-keys"}
# The database role of each function, which has the secret of that role only.
ROLES = {
    "list-highlights": "reader", "get-highlight": "reader", "stream-highlights": "reader",
    "consume-goal": "writer", "enrich-batch": "writer", "migrations": "owner",
}  # fmt: skip
USERS = {"reader": "goalstream_reader", "writer": "goalstream_writer", "owner": "goalstream"}
NAMES = {name.replace("_", "-"): name for name in functions.NAMES}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that kustomize reads, with each overlay combined with each trigger."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copytree(ROOT / "infra" / "knative", root / "infra" / "knative")
    (root / "local").mkdir()
    for name in ("kustomization.yaml", "triggers.toml"):
        shutil.copy(ROOT / "local" / name, root / "local" / name)
    for overlay in OVERLAYS:
        folder = root / "infra" / "knative" / "overlays" / overlay
        other = shutil.copytree(folder, folder.with_name(f"{overlay}-trigger"))
        text = (other / "kustomization.yaml").read_text()
        line = "../../components/kafka-source # or ../../components/trigger"
        assert line in text
        (other / "kustomization.yaml").write_text(text.replace(line, "../../components/trigger"))
    return root / "infra" / "knative"


@cache
def built(tree: Path, name: str) -> list[Object]:
    """The objects of an overlay with one of the components that deliver."""
    overlay, _, way = name.partition("/")
    return build(tree / "overlays" / (overlay + ("-trigger" if way == "trigger" else "")))


@pytest.fixture(params=BUILDS)
def objects(request: pytest.FixtureRequest, tree: Path) -> list[Object]:
    """The objects of each overlay, in each way."""
    return built(tree, request.param)


def is_core(document: Object) -> bool:
    """Whether Kubernetes itself knows the kind."""
    group = document["apiVersion"].rpartition("/")[0]
    return "." not in group or (group.endswith(".k8s.io") and not group.startswith("gateway."))


def of_kind(objects: list[Object], kind: str, version: str = "") -> dict[str, Object]:
    """The objects of a kind by name."""
    return {
        each["metadata"]["name"]: each
        for each in objects
        if each["kind"] == kind and each["apiVersion"].startswith(version)
    }


def schema_errors(document: Object) -> list[str]:
    """The schema errors of an object that is not of Kubernetes' own kinds."""
    if document["kind"] in knative_kafka.MODELS:
        knative_kafka.check(document)
        return []
    return closed_schemas.problems(closed_schemas.of_kind(document["kind"]), document)


def references(document: Any) -> Iterator[tuple[str, str]]:
    """The ConfigMaps and Secrets that an object names, wherever in it."""
    if isinstance(document, list):
        for each in document:
            yield from references(each)
    if isinstance(document, dict):
        for name, value in document.items():
            if name in ("configMapRef", "configMapKeyRef", "configMap"):
                yield "ConfigMap", value["name"]
            elif name in ("secretKeyRef", "secretRef"):
                yield "Secret", value["name"]
            elif name == "secret":
                yield "Secret", value.get("secretName") or value["ref"]["name"]
            else:
                yield from references(value)


def test_every_object_of_kubernetes_is_valid(tree: Path) -> None:
    """By its own schemas, with no field that they do not know."""
    every = [each for name in BUILDS for each in built(tree, name) if is_core(each)]
    different = {json.dumps(each, sort_keys=True) for each in every}  # most are in each build
    assert len(different) > len(NAMES)
    for document in map(json.loads, different):
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_every_object_of_knative_is_valid(objects: list[Object]) -> None:
    """By the schemas of its CRDs, with no field that they do not know, and no flag to be set."""
    for document in objects:
        if not is_core(document):
            assert schema_errors(document) == [], document["metadata"]["name"]
    for service in of_kind(objects, "Service", SERVING).values():
        assert (
            set(closed_schemas.noted(closed_schemas.load("Service"), service, "feature flag"))
            <= FLAGS
        )


@pytest.mark.parametrize(
    "path",
    [
        ("spec", "template", "spec", "containers", 0, "livenesProbe"),
        ("spec", "template", "spec", "containers", 0, "env", 0, "valu"),
        ("spec", "template", "spec", "containerConcurency"),
        ("spec", "tempate"),
        ("metadata", "label"),
    ],
)
def test_a_wrong_field_is_detected(tree: Path, path: tuple[str | int, ...]) -> None:
    """Knative's own schemas accept most of these; the closed schemas do not."""
    services = of_kind(built(tree, "production/kafka-source"), "Service", SERVING)
    document: Any = deepcopy(services["consume-goal"])
    assert schema_errors(document) == []
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = "x"
    assert schema_errors(document)


def test_a_wrong_field_of_kubernetes_is_detected(tree: Path) -> None:
    """In the same way."""
    document: Any = deepcopy(
        of_kind(built(tree, "production/trigger"), "Deployment")["kafka-trigger"]
    )
    pod_of(document)["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_the_route_to_one_host_is_valid(tree: Path) -> None:
    """Every public path of the gateway leads to its function."""
    route, grant = sorted(build(tree / "one-host"), key=lambda each: str(each["kind"]))
    assert (schema_errors(route), schema_errors(grant)) == ([], [])
    leads = {
        match["path"]["value"]: rule["filters"][0]["urlRewrite"]["hostname"]
        for rule in route["spec"]["rules"]
        for match in rule["matches"]
    }
    inner = "{}.goalstream.svc.cluster.local".format
    assert leads == {
        "/events": inner("ingest-event"),
        "/highlights": inner("list-highlights"),
        "/highlights/": inner("get-highlight"),
        "/highlights/stream": inner("stream-highlights"),
        "/matches": inner("list-highlights"),
    }


def test_a_domain_for_events_is_claimed_for_the_namespace_that_maps_it(tree: Path) -> None:
    """Without a claim a mapping never gets ready; a claim itself is in no namespace."""
    claim, mapping = build(tree / "events-domain")
    assert schema_errors(mapping) == []
    assert mapping["spec"]["ref"]["name"] in NAMES
    assert claim == {
        "apiVersion": "networking.internal.knative.dev/v1alpha1",
        "kind": "ClusterDomainClaim",
        "metadata": {"name": mapping["metadata"]["name"]},
        "spec": {"namespace": mapping["metadata"]["namespace"]},
    }


def test_functions_can_be_left_out_until_the_table_is_there(objects: list[Object]) -> None:
    """By a label of all functions, which the jobs before them do not have."""
    labelled = {
        each["metadata"]["name"]
        for each in objects
        if each["metadata"].get("labels", {}).get("app.kubernetes.io/component") == "function"
        and (each["apiVersion"], each["kind"]) == (SERVING, "Service")
    }
    assert labelled == NAMES.keys()
    others = [each for each in objects if each["apiVersion"] != SERVING]
    assert "app.kubernetes.io/component" not in str(others)


def test_every_function_is_a_service(objects: list[Object]) -> None:
    """With the source and name for functions-framework; two are not public."""
    services = of_kind(objects, "Service", SERVING)
    assert services.keys() == NAMES.keys()
    for name, service in services.items():
        assert service["spec"]["traffic"] == [{"latestRevision": True, "percent": 100}]
        [container] = pod_of(service)["containers"]
        environment = {each["name"]: each.get("value") for each in container["env"]}
        assert environment["FUNCTION_TARGET"] == NAMES[name]
        assert environment["FUNCTION_SOURCE"] == f"functions/{NAMES[name]}/main.py"
        visibility = service["metadata"].get("labels", {}).get("networking.knative.dev/visibility")
        assert visibility == (None if NAMES[name] in functions.PUBLIC else "cluster-local")
        assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
        assert container["readinessProbe"]["timeoutSeconds"] > TIMEOUT_S
        assert container["livenessProbe"]["httpGet"]["path"] == "/health"


def test_all_instances_together_fit_postgres(objects: list[Object]) -> None:
    """Even while old and new revisions run together; the page on growth has the numbers."""
    connections = 0
    for service in of_kind(objects, "Service", SERVING).values():
        [container] = pod_of(service)["containers"]
        environment = {each["name"]: each.get("value") for each in container["env"]}
        annotations = service["spec"]["template"]["metadata"]["annotations"]
        most = int(annotations["autoscaling.knative.dev/max-scale"])
        assert int(annotations["autoscaling.knative.dev/min-scale"]) <= most
        pool = int(environment.get("DATABASE_POOL_SIZE") or 0)
        connections += most * pool
        if service["metadata"].get("labels", {}).get("networking.knative.dev/visibility"):
            assert pod_of(service)["containerConcurrency"] == pool
    assert 2 * connections + 1 <= POSTGRES_CONNECTIONS
    page = " ".join(PAGES["docs/growth-and-cost.md"].split())
    assert f"come to {connections}, and to {2 * connections} while" in page


def test_no_pod_of_ours_has_more_rights_or_room_than_it_needs(objects: list[Object]) -> None:
    """As in docker-compose.yml: not root, only /tmp is writable, no capability, and limits."""
    pods = {each["metadata"]["name"]: pod_of(each) for each in objects if pod_of(each)}
    assert len(pods) >= len(NAMES) + 2
    for name, pod in pods.items():
        [container] = pod["containers"]
        context = {**pod.get("securityContext", {}), **container["securityContext"]}
        assert context["runAsNonRoot"] is True, name
        assert context["runAsUser"] > 0
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}
        if container["image"].rpartition("/")[2].partition(":")[0] in OURS:
            assert context["readOnlyRootFilesystem"] is True, name


def test_every_setting_and_secret_that_is_named_exists(tree: Path) -> None:
    """In production the Secrets are those that its kustomization says must be made beforehand."""
    for name in BUILDS:
        objects = built(tree, name)
        kinds = {each for document in objects for each in references(document)}
        defined = {
            (kind, each) for kind in ("ConfigMap", "Secret") for each in of_kind(objects, kind)
        }
        missing = {each for kind, each in kinds - defined if kind == "Secret"}
        assert all(kind == "Secret" for kind, _ in kinds - defined)
        is_production = name.startswith("production")
        assert missing == (SECRETS if is_production else set())


def test_a_component_lets_enrich_batch_alone_ask_an_endpoint(tree: Path) -> None:
    """With the key of the Secret `enricher`, and a way out; each function knows what is asked."""
    folder = tree / "overlays/development"
    other = shutil.copytree(folder, folder.with_name("development-enricher"))
    line = "  - ../../components/services\n"
    text = (folder / "kustomization.yaml").read_text()
    added = text.replace(line, f"{line}  - ../../components/enricher\n")
    (other / "kustomization.yaml").write_text(added)
    objects = build(other)
    for document in objects:
        if is_core(document):
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        else:
            assert schema_errors(document) == []
    named = {
        document["metadata"]["name"]
        for document in objects
        if ("Secret", "enricher") in references(document)
    }
    assert named == {"enrich-batch"}
    pod = pod_of(of_kind(objects, "Service", SERVING)["enrich-batch"])
    [container] = pod["containers"]
    keys = {each["value"] for each in container["env"] if each["name"].endswith("API_KEY_FILE")}
    assert keys == {"/run/secrets/enricher/key"}
    assert "/run/secrets/enricher" in {each["mountPath"] for each in container["volumeMounts"]}
    policy = of_kind(objects, "NetworkPolicy")["enricher"]["spec"]
    [expression] = policy["podSelector"]["matchExpressions"]
    assert (expression["values"], policy["policyTypes"]) == (["enrich-batch"], ["Egress"])
    [settings] = [
        each["data"]
        for each in of_kind(objects, "ConfigMap").values()
        if "LOG_LEVEL" in each["data"]
    ]
    assert {"ENRICHER", "OPENAI_BASE_URL", "OPENAI_MODEL"} <= settings.keys()


def test_no_file_of_production_contains_a_secret(tree: Path) -> None:
    """Only its name."""
    for way in ("kafka-source", "trigger"):
        assert not of_kind(built(tree, f"production/{way}"), "Secret")


def test_each_function_is_the_user_of_the_database_that_it_needs_to_be(
    objects: list[Object],
) -> None:
    """With the secret of that one alone; the owner, who makes the others, has theirs too."""
    [settings] = [
        each["data"]
        for each in of_kind(objects, "ConfigMap").values()
        if "LOG_LEVEL" in each["data"]
    ]
    pods = {each["metadata"]["name"]: pod_of(each) for each in objects if pod_of(each)}
    for name, pod in pods.items():
        [container] = pod["containers"]
        environment = {each["name"]: each for each in container.get("env", [])}
        users = {
            each["secret"]["secretName"].split("-")[1]
            for each in pod.get("volumes", [])
            if "secret" in each and each["secret"]["secretName"].startswith("database-")
        }
        if name == "postgres":
            assert users == {"owner"}
            continue
        role = ROLES.get(name)
        assert users == ({*USERS} if role == "owner" else {role} - {None}), name
        if role is None:
            assert "DATABASE_URL" not in environment
            continue
        key = environment["DATABASE_URL"]["valueFrom"]["configMapKeyRef"]["key"]
        assert settings[key].startswith(f"postgresql://{USERS[role]}@")
        file = environment["DATABASE_PASSWORD_FILE"]["value"]
        assert file == "/run/secrets/database/password"
    assert "DATABASE_URL" not in settings


def test_a_redis_in_the_cluster_admits_only_the_functions(tree: Path) -> None:
    """By a password, with the commands of the cache; without a password nothing is allowed."""
    objects = built(tree, "development/kafka-source")
    [container] = pod_of(of_kind(objects, "Deployment")["redis"])["containers"]
    _, nobody, functions = " ".join(container["command"]).split(" --user ")
    assert nobody == "default reset"
    granted = set(functions.split())
    assert {"on", ">$(REDIS_PASSWORD)", "~goalstream:*", "-@all"} <= granted
    assert not {"~*", "+@all", "allcommands", "nopass"} & granted
    assert not granted & {"+flushall", "+keys", "+config", "+acl"}
    called = set(re.findall(r"redis\.call\('([A-Z]+)'", CACHE))
    assert called
    assert {f"+{each.lower()}" for each in called} <= granted
    [secret] = [
        each["stringData"] if "stringData" in each else decoded(each["data"])
        for name, each in of_kind(objects, "Secret").items()
        if name.startswith("redis")
    ]
    assert f":{secret['password']}@" in secret["url"]


def decoded(data: dict[str, str]) -> dict[str, str]:
    """A Secret's values."""
    return {name: b64decode(value).decode() for name, value in data.items()}


def test_a_redis_outside_the_cluster_has_a_longer_time_out(tree: Path) -> None:
    """For each function that uses it; the others have no time-out for it."""
    for service in of_kind(built(tree, "production/kafka-source"), "Service", SERVING).values():
        [container] = pod_of(service)["containers"]
        environment = {each["name"]: each.get("value") for each in container["env"]}
        uses_redis = "REDIS_URL_FILE" in environment
        assert environment.get("REDIS_TIMEOUT_S") == ("0.2" if uses_redis else None)


def test_every_image_is_named_by_the_overlay(objects: list[Object]) -> None:
    """The base's placeholder names are found nowhere."""
    images = {
        each["image"] for document in objects for each in pod_of(document).get("containers", [])
    }
    assert not images & OURS
    assert {image.rpartition("/")[2].partition(":")[0] for image in images} >= {
        "goalstream-functions"
    }


def test_records_are_delivered_in_order_and_failed_ones_are_dead_letters(tree: Path) -> None:
    """In the consumer groups of our trigger, so that either can continue after the other."""
    for overlay in OVERLAYS:
        objects = built(tree, f"{overlay}/kafka-source")
        sources = of_kind(objects, "KafkaSource")
        [sink] = of_kind(objects, "KafkaSink").values()
        assert [
            (name, *each["spec"]["topics"], each["spec"]["consumerGroup"])
            for name, each in sources.items()
        ] == [(each["name"], each["topic"], each["group"]) for each in TRIGGERS]
        for name, source in sources.items():
            assert source["spec"]["ordering"] == "ordered"
            assert source["spec"]["sink"]["ref"]["name"] == name
            assert source["spec"]["bootstrapServers"] == sink["spec"]["bootstrapServers"]
        dead = sources["consume-goal"]["spec"]["delivery"]["deadLetterSink"]["ref"]
        assert (dead["name"], sink["spec"]["topic"]) == ("dead-letters", "match-events.dlq")
        assert sources["consume-goal"]["spec"]["initialOffset"] == "earliest"


def test_our_own_trigger_uses_the_common_triggers_file(tree: Path) -> None:
    """The same file is mounted, with probes; KafkaSource is left out."""
    for overlay in OVERLAYS:
        objects = built(tree, f"{overlay}/trigger")
        pod = pod_of(of_kind(objects, "Deployment")["kafka-trigger"])
        [container] = pod["containers"]
        assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
        assert container["livenessProbe"]["httpGet"]["path"] == "/health"
        [(name, mounted)] = [
            (each["name"], each["configMap"]["name"])
            for each in pod["volumes"]
            if "configMap" in each
        ]
        text = of_kind(objects, "ConfigMap")[mounted]["data"]["triggers.toml"]
        assert text == (ROOT / "local" / "triggers.toml").read_text()
        [folder] = [each["mountPath"] for each in container["volumeMounts"] if each["name"] == name]
        assert f"{folder}/triggers.toml" in container["command"]
        assert not of_kind(objects, "KafkaSource")


def test_only_traffic_that_a_policy_names_is_allowed(objects: list[Object]) -> None:
    """All traffic is denied by default; each function reaches the services of its settings."""
    policies = of_kind(objects, "NetworkPolicy")
    assert policies["nothing"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

    def reaching(name: str) -> set[str]:
        [expression] = policies[name]["spec"]["podSelector"]["matchExpressions"]
        return set(expression["values"])

    if trigger := policies.get("kafka-trigger"):
        deployment = of_kind(objects, "Deployment")["kafka-trigger"]
        scraped = deployment["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"]
        assert trigger["spec"]["ingress"][0]["ports"] == [{"port": int(scraped)}]
    assert reaching("kafka") == {"ingest-event", "consume-goal"}
    assert reaching("postgres") == NAMES.keys() - {"ingest-event"}
    assert reaching("redis") == NAMES.keys() - {"ingest-event", "get-highlight"}
