"""infra/gcp: each file is valid by Cloud Run's schema, and has the documented properties."""

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.shared.http.readiness import TIMEOUT_S
from local.stack import ROOT
from local.stack.services import functions
from tests.support.pages import PAGES, blocks, section
from tests.support.schemas import closed_schemas

GCP = ROOT / "infra" / "gcp"
FILES = sorted([*GCP.glob("*.yaml"), *GCP.glob("*/*.yaml")])
SERVICES = {path.stem: path for path in GCP.glob("services/*.yaml")}
CLOUD_RUN = closed_schemas.load("cloud-run-v1")
DEFINITIONS = {name: closed_schemas.closed(each) for name, each in CLOUD_RUN["$defs"].items()}
POSTGRES_CONNECTIONS = 90  # 100 by default, less ten for its superuser and administrators
ENVIRONMENT = {
    "PROJECT": "project", "REGION": "europe-west1", "NETWORK": "default", "SUBNET": "default",
    "REGISTRY": "europe-west1-docker.pkg.dev/project/goalstream", "TAG": "1",
    "KAFKA": "bootstrap.goals.example:9092", "DATABASE": "10.0.0.3:5432/g?sslmode=verify-full",
}  # fmt: skip
PUBLIC = {name.replace("_", "-") for name in functions.PUBLIC}
# The database role of each function, whose password its account may read.
ROLES = {
    "list-highlights": "reader", "get-highlight": "reader", "stream-highlights": "reader",
    "consume-goal": "writer", "enrich-batch": "writer", "migrations": "owner",
}  # fmt: skip
# Records its arguments, and the file that it gets.
GCLOUD = """#!/usr/bin/env bash
echo "$*" >> "$CALLS/calls"
for word in "$@"; do [[ -f $word ]] && { cat "$word"; echo ---; } >> "$CALLS/files"; done
[[ $* == *describe* ]] && echo "https://$4-1.run.app"
[[ $* == *describe* && ${NOTHING_IS_THERE:-} ]] && exit 1
exit 0
"""


def parsed(path: Path) -> Any:
    """A file's document."""
    return yaml.safe_load(path.read_text())


def instance(document: Any) -> Any:
    """The template of an instance of a service, a worker pool or a job."""
    spec = document["spec"]["template"]["spec"]
    return spec if "containers" in spec else spec["template"]["spec"]


def variables(path: Path) -> dict[str, str]:
    """The environment that a file gives its container."""
    [container] = instance(parsed(path))["containers"]
    return {each["name"]: each["value"] for each in container["env"]}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_one_that_cloud_run_knows(path: Path) -> None:
    """It has only fields of Cloud Run's schema, and no fields that only the server sets."""
    document = parsed(path)
    schema = {"$defs": DEFINITIONS, "$ref": f"#/$defs/{document['kind']}"}
    assert closed_schemas.problems(schema, document) == []
    assert "httpGet: { path: /health, port: 8080 }" in path.read_text() or document["kind"] == "Job"


def test_a_service_has_a_startup_and_a_liveness_probe() -> None:
    """A revision whose migration or topic is missing gets no requests; a busy one is not killed."""
    for path in SERVICES.values():
        [container] = instance(parsed(path))["containers"]
        assert container["startupProbe"]["httpGet"] == {"path": "/ready", "port": 8080}
        assert container["startupProbe"]["timeoutSeconds"] > TIMEOUT_S
        assert container["livenessProbe"]["httpGet"] == {"path": "/health", "port": 8080}


@pytest.mark.parametrize("field", ["conatiners", "containerConcurency"])
def test_a_wrong_field_is_detected(field: str) -> None:
    """At any depth."""
    document = parsed(SERVICES["consume-goal"])
    document["spec"]["template"]["spec"][field] = 1
    schema = {"$defs": DEFINITIONS, "$ref": "#/$defs/Service"}
    assert closed_schemas.problems(schema, document)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_annotation_is_one_that_cloud_run_accepts_there(path: Path) -> None:
    """Of a service, or of a revision; a worker pool has revisions too."""
    document = parsed(path)
    inner = "Execution" if document["kind"] == "Job" else "Revision"
    for key, metadata in (
        (document["kind"], document["metadata"]),
        (inner, document["spec"]["template"]["metadata"]),
    ):
        for annotation in metadata.get("annotations", {}):
            assert key in CLOUD_RUN["annotations"][annotation]


def test_every_function_is_a_service() -> None:
    """As in docker-compose.yml; the two that a trigger calls are not reached from outside."""
    assert SERVICES.keys() == {name.replace("_", "-") for name in functions.NAMES}
    for name, path in SERVICES.items():
        target = name.replace("-", "_")
        assert variables(path)["FUNCTION_TARGET"] == target
        assert variables(path)["FUNCTION_SOURCE"] == f"functions/{target}/main.py"
        ingress = parsed(path)["metadata"]["annotations"]["run.googleapis.com/ingress"]
        assert ingress == ("all" if name in PUBLIC else "internal")


def test_an_inner_function_accepts_only_tokens() -> None:
    """Tokens of the deployment's accounts; the public functions check API keys themselves."""
    unguarded = "run.googleapis.com/invoker-iam-disabled"
    for name, path in SERVICES.items():
        annotations = parsed(path)["metadata"]["annotations"]
        assert annotations.get(unguarded) == ("true" if name in PUBLIC else None)


def test_each_function_is_the_user_of_the_database_that_it_needs_to_be() -> None:
    """Its account may read only that user's password; the owner creates the other users."""
    passwords = {
        (account, secret.removeprefix("database-").removesuffix("-password"))
        for account, secret in readers()
        if secret.startswith("database-") and secret.endswith("-password")
    }
    makes = {("migrations", "reader"), ("migrations", "writer")}
    assert passwords == set(ROLES.items()) | makes
    for path in FILES:
        name, role = path.stem, ROLES.get(path.stem)
        user = "goalstream" if role == "owner" else f"goalstream_{role}"
        url = f"postgresql://{user}@${{DATABASE}}" if role else None
        assert variables(path).get("DATABASE_URL") == url, name
    password_files = {
        name for name in variables(GCP / "jobs/migrations.yaml") if "ER_PASSWORD" in name
    }
    assert password_files == {"DATABASE_READER_PASSWORD_FILE", "DATABASE_WRITER_PASSWORD_FILE"}


def test_a_remote_redis_has_a_longer_time_out() -> None:
    """In each function that uses it; the others have no time-out for it."""
    for path in SERVICES.values():
        uses_redis = "REDIS_URL_FILE" in variables(path)
        assert variables(path).get("REDIS_TIMEOUT_S") == ("0.2" if uses_redis else None)


def test_all_instances_together_fit_postgres() -> None:
    """Even while old and new revisions run together; the page on growth has the numbers."""
    connections = 0
    for path in SERVICES.values():
        template = parsed(path)["spec"]["template"]
        most = int(template["metadata"]["annotations"]["autoscaling.knative.dev/maxScale"])
        connections += most * int(variables(path).get("DATABASE_POOL_SIZE", 0))
    assert 2 * connections + 1 <= POSTGRES_CONNECTIONS
    page = " ".join(PAGES["docs/growth-and-cost.md"].split())
    assert f"come to {connections}, and to {2 * connections} while" in page


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_secret_is_a_file_of_its_own(path: Path) -> None:
    """Mounted from Secret Manager in its latest version; no value is in the file."""
    pod = instance(parsed(path))
    volumes = {each["name"]: each["secret"] for each in pod["volumes"]}
    [container] = pod["containers"]
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert volumes.keys() == mounted.keys()
    there = {f"{mounted[name]}/{each['items'][0]['path']}" for name, each in volumes.items()}
    named = {value for name, value in variables(path).items() if name.endswith("_FILE")}
    assert named <= there
    assert all(each["items"][0]["key"] == "latest" for each in volumes.values())
    assert not {"KAFKA_SASL_PASSWORD", "DATABASE_PASSWORD", "API_KEYS"} & variables(path).keys()


def run(script: str, folder: Path, **variables: str) -> str:
    """The calls that a script makes to gcloud, which is a stand-in that always succeeds."""
    gcloud = folder / "gcloud"
    gcloud.write_text(GCLOUD)
    gcloud.chmod(gcloud.stat().st_mode | stat.S_IEXEC)
    path = f"{folder}:{os.environ['PATH']}"
    environment = {**os.environ, **ENVIRONMENT, **variables, "PATH": path, "CALLS": str(folder)}
    subprocess.run([GCP / script], env=environment, check=True, timeout=60)
    return (folder / "calls").read_text()


@pytest.fixture(name="calls")
def _calls(tmp_path: Path) -> Path:
    """The folder with the recorded calls of a deployment."""
    run("deploy.sh", tmp_path)
    return tmp_path


def test_a_deployment_asks_for_all_of_it_in_order(calls: Path) -> None:
    """Topics and tables first, then functions, then their callers; placeholders are replaced."""
    requests = (calls / "calls").read_text()
    step = (
        r"^run (jobs execute \S+|\S+ replace|\S+ set-iam-policy \S+|\S+ update \S+ \S+ \d+)"
        r"|^(scheduler)"
    )
    steps = re.findall(step, requests, re.MULTILINE)
    assert [first or second for first, second in steps] == [
        "jobs replace", "jobs execute topics", "jobs replace", "jobs execute migrations",
        *["services replace"] * len(SERVICES), "services set-iam-policy consume-goal",
        "services set-iam-policy enrich-batch", "worker-pools replace",
        "worker-pools update kafka-trigger --instances 2", "scheduler",
    ]  # fmt: skip
    given = [each for each in yaml.safe_load_all((calls / "files").read_text()) if each]
    documents = [each for each in given if "kind" in each]
    assert sorted(each["metadata"]["name"] for each in documents) == sorted(
        path.stem for path in FILES
    )
    assert "${" not in (calls / "files").read_text()
    [trigger] = [each for each in documents if each["kind"] == "WorkerPool"]
    assert "https://consume-goal-1.run.app" in str(trigger)


def test_only_the_trigger_and_the_schedule_may_call_the_inner_functions(
    calls: Path,
) -> None:
    """The policy is replaced, so no earlier caller remains. Both callers send tokens."""
    given = yaml.safe_load_all((calls / "files").read_text())
    bindings = [each["bindings"] for each in given if each and "bindings" in each]
    member = "serviceAccount:{}@project.iam.gserviceaccount.com".format
    called = re.findall(
        r"^run services set-iam-policy (\S+)", (calls / "calls").read_text(), re.MULTILINE
    )
    assert dict(zip(called, bindings, strict=True)) == {
        "consume-goal": [{"role": "roles/run.invoker", "members": [member("kafka-trigger")]}],
        "enrich-batch": [
            {
                "role": "roles/run.invoker",
                "members": [member("kafka-trigger"), member("enrich-schedule")],
            }
        ],
    }
    trigger = GCP / "kafka-trigger.yaml"
    assert instance(parsed(trigger))["serviceAccountName"].startswith("kafka-trigger@")
    assert variables(trigger)["FUNCTION_AUTH"] == "google-identity-token"
    assert (ROOT / "local" / "triggers.toml").read_text().count('auth = "${FUNCTION_AUTH:-}"') == 2
    [schedule] = re.findall(
        r"^scheduler jobs create .*", (calls / "calls").read_text(), re.MULTILINE
    )
    caller, audience = "enrich-schedule@project.iam.gserviceaccount.com", "https://enrich-batch-1"
    assert f"--oidc-service-account-email {caller} " in schedule
    assert schedule.endswith(f"--oidc-token-audience {audience}.run.app")


def readers() -> set[tuple[str, str]]:
    """Each service account, with each secret that its file mounts."""
    pods = [instance(parsed(path)) for path in FILES]
    return {
        (pod["serviceAccountName"].partition("@")[0], each["secret"]["secretName"])
        for pod in pods
        for each in pod["volumes"]
    }


def test_a_setup_makes_exactly_the_accounts_and_secrets_of_the_files(tmp_path: Path) -> None:
    """Each account may read the secrets that its file mounts, made from files of their names."""
    requests = run("setup.sh", tmp_path, SECRETS=str(tmp_path), NOTHING_IS_THERE="1")
    granted = r"^secrets add-iam-policy-binding (\S+) --member serviceAccount:([a-z-]+)@project\."
    assert {
        (account, name) for name, account in re.findall(granted, requests, re.MULTILINE)
    } == readers()
    assert requests.count("roles/secretmanager.secretAccessor") == requests.count("--member")
    created = set(re.findall(r"^iam service-accounts create (\S+)", requests, re.MULTILINE))
    assert created == {account for account, _ in readers()} | {"enrich-schedule"}
    kept = set(re.findall(r"^secrets create (\S+) --data-file (\S+)", requests, re.MULTILINE))
    assert kept == {(name, str(tmp_path / name)) for _, name in readers()}
    assert "artifacts repositories create goalstream" in requests


def test_a_second_setup_makes_nothing_again(tmp_path: Path) -> None:
    """It only repeats the grants."""
    assert " create " not in run("setup.sh", tmp_path, SECRETS=str(tmp_path))


def test_everything_that_is_made_can_be_deleted() -> None:
    """By the commands of the page: services, jobs, the trigger, accounts and secrets."""
    [commands] = blocks(section("docs/google-cloud.md", "Tear down"))
    named = set(re.findall(r"[a-z-]+", commands))
    assert named >= {parsed(path)["metadata"]["name"] for path in FILES}
    assert named >= {name for reader in readers() for name in reader} | {"enrich-schedule"}


@pytest.mark.parametrize(("script", "missing"), [("deploy.sh", "TAG"), ("setup.sh", "SECRETS")])
def test_without_a_variable_nothing_is_asked_for(script: str, missing: str, tmp_path: Path) -> None:
    """The error names the missing variable."""
    environment = {**os.environ, **ENVIRONMENT, missing: "", "CALLS": str(tmp_path)}
    done = subprocess.run(
        [GCP / script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert missing in done.stderr
