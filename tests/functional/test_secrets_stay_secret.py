"""No secret is in the output of a process, however its start or its connections fail."""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.consume_goal.settings import ConsumeGoalSettings
from functions.shared.http.settings import AccessSettings
from functions.shared.settings.aws_secrets import fetch
from functions.shared.settings.errors import SettingsError
from functions.shared.settings.load import load
from functions.shared.settings.secret_references import Secrets
from local.stack.services.functions import NAMES
from tests.support.fakes.aws import FakeAws, fake_aws

ROOT = Path(__file__).parents[2]
CANARY = "canary-7f3a"
SERVICES = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "DATABASE_URL": "postgresql://user@127.0.0.1:1/goalstream",
    "LOG_LEVEL": "DEBUG",
    "PUBLISH_DEADLINE_S": "0.3",
    "DATABASE_TIMEOUT_S": "1",
}

# Loads a function as functions-framework does, lets its connections fail, and requests all paths.
CALLS = """
import asyncio, sys
import httpx
from functions_framework.aio import create_asgi_app

EVENT = {"matchId": "6f5b8b4e-9f0e-4f65-9d0c-0d6b2d1c2022", "eventType": "goal",
         "occurredAt": "2022-12-18T15:36:00Z", "eventId": "1"}

ATTRIBUTES = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "test", "ce-type": "goal"}

async def call(app):
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for method, path in (("GET", "/health"), ("GET", "/highlights"), ("POST", "/"),
                             ("GET", "/highlights/6f5b8b4e-9f0e-4f65-9d0c-0d6b2d1c2022"),
                             ("GET", "/highlights?matchId=6f5b8b4e-9f0e-4f65-9d0c-0d6b2d1c2022"),
                             ("GET", "/highlights/stream"),
                             ("POST", "/events")):
            content = {"json": EVENT, "headers": ATTRIBUTES} if method == "POST" else {}
            answer = await client.request(method, path, **content)
            print(path, answer.status_code, answer.headers, answer.text)

asyncio.run(call(create_asgi_app()))
from functions.FUNCTION.main import settings
print(repr(settings), settings)
"""


class AllSecretSettings(ConsumeGoalSettings, AccessSettings):
    """All settings that may hold a secret."""


@pytest.fixture(scope="module")
def aws() -> Iterator[FakeAws]:
    """A fake AWS whose secrets all contain the canary."""
    secrets = {
        "word": CANARY,
        "json": json.dumps({"password": CANARY, "list": [CANARY]}),
        "database": f"postgresql://user:{CANARY}@127.0.0.1:1/goalstream",
        "broken": f"postgresql://user:1/{CANARY}@127.0.0.1:1/goalstream",
        "redis": f"redis://user:{CANARY}@127.0.0.1:1/0",
        "keys": f"{CANARY}-of-sixteen, {CANARY}",
    }
    with fake_aws(**secrets) as running:
        yield running


def run(aws: FakeAws, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python to its end, and check that its output does not contain the canary."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**own, **SERVICES, **aws.variables, "PYTHONPATH": str(ROOT), **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    output = done.stdout + done.stderr
    assert output
    assert "canary" not in output
    return done


@pytest.mark.parametrize(
    ("variables", "output"),
    [
        ({"DATABASE_PASSWORD": "aws-secretsmanager:none"}, "there is no such secret"),
        ({"DATABASE_PASSWORD": "aws-secretsmanager:word#password"}, "it is not JSON"),
        ({"DATABASE_PASSWORD": "aws-ssm:json#pasword"}, "it has no key 'pasword'"),
        ({"DATABASE_PASSWORD": "aws-ssm:json#list"}, "neither text nor a number"),
        ({"DATABASE_URL": "aws-ssm:word"}, "DATABASE_URL is wrong: String should match"),
        ({"DATABASE_URL": "aws-ssm:broken"}, "DATABASE_URL is wrong: in a user or password"),
        ({"REDIS_URL": "aws-ssm:word"}, "REDIS_URL is wrong: String should match"),
        ({"DATABASE_POOL_SIZE": "aws-ssm:word"}, "DATABASE_POOL_SIZE is wrong"),
        ({"LOG_LEVEL": "aws-ssm:word"}, "LOG_LEVEL is wrong"),
        ({"API_KEYS": "aws-ssm:keys"}, "API_KEYS is wrong: each key needs 16 characters"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "aws-ssm:word"}, "KAFKA_BOOTSTRAP_SERVERS is wrong"),
        ({"KAFKA_SASL_MECHANISM": "aws-ssm:word"}, "KAFKA_SASL_MECHANISM is wrong"),
        ({"KAFKA_SSL_CA_LOCATION": "aws-ssm:word"}, "KAFKA_SSL_CA_LOCATION is wrong"),
    ],
)
def test_a_failed_start_reveals_no_secret(
    variables: dict[str, str], output: str, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the variable and the error."""
    for name, value in aws.variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        load(AllSecretSettings, {**SERVICES, **variables}, Secrets(fetch))
    assert str(error.value).startswith(f"cannot start: {next(iter(variables))}")
    assert output in str(error.value)
    assert "canary" not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize("function", NAMES)
def test_failed_connections_reveal_no_secret(function: str, aws: FakeAws) -> None:
    """Neither in the log nor to the client."""
    done = run(
        aws,
        "-c",
        CALLS.replace("FUNCTION", function),
        FUNCTION_SOURCE=f"functions/{function}/main.py",
        FUNCTION_TARGET=function,
        DATABASE_URL="aws-ssm:database",
        REDIS_URL="aws-ssm:redis",
        CACHE_TTL_S="1",  # for so long consume-goal waits for Redis
        KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        KAFKA_SASL_MECHANISM="SCRAM-SHA-256",
        KAFKA_SASL_USERNAME="user",
        KAFKA_SASL_PASSWORD="aws-secretsmanager:json#password",  # noqa: S106 - where it is kept
    )
    assert done.returncode == 0, done.stderr
    assert "503" in done.stdout


def test_a_token_for_amazon_msk_is_not_logged(aws: FakeAws) -> None:
    """Neither the token nor the credentials that sign it, such as a role's session token."""
    done = run(
        aws,
        "-c",
        CALLS.replace("FUNCTION", "ingest_event"),
        FUNCTION_SOURCE="functions/ingest_event/main.py",
        FUNCTION_TARGET="ingest_event",
        KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        KAFKA_SASL_MECHANISM="AWS_MSK_IAM",
        AWS_REGION="eu-west-1",
        AWS_SESSION_TOKEN=CANARY,
    )
    assert done.returncode == 0, done.stderr
    assert "/events 503" in done.stdout


@pytest.mark.parametrize("module", ["infra.migrate", "infra.topics", "infra.enrichment"])
def test_a_failed_tool_reveals_no_secret(module: str, aws: FakeAws) -> None:
    """Tools read the same settings."""
    refused = {"DATABASE_URL": "aws-ssm:database"}
    wrong = {"KAFKA_BOOTSTRAP_SERVERS": "aws-ssm:word"}
    arguments = ("status",) if module == "infra.enrichment" else ()
    done = run(aws, "-m", module, *arguments, **(wrong if module == "infra.topics" else refused))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
