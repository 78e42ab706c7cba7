"""Secrets in AWS, for which moto stands in, and the errors when they cannot be read."""

import json
import os
import socket
from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings import aws_secrets
from functions.shared.settings.aws_secrets import CLIENT_CONFIG, fetch
from functions.shared.settings.errors import SettingsError
from functions.shared.settings.load import load, reload_if_changed
from functions.shared.settings.secret_references import REFRESH_AFTER_S, Secrets
from tests.support.fakes.aws import KEYS, fake_aws

URL = {"DATABASE_URL": "postgresql://user@127.0.0.1:5432/goalstream"}
REGION = "eu-west-1"
CANARY = "canary-7f3a"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The variables of the fake AWS, and no other variables of AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def session() -> Iterator[None]:
    """A session that has not read the environment yet, nor keeps what it reads for other tests."""
    boto3.setup_default_session()
    yield
    boto3.setup_default_session()


@cache  # since making one is slow
def client(service: str) -> Any:
    """A client for all tests."""
    return boto3.client(service, region_name=REGION)


class Account:
    """An account with secrets, each of a name that no other test has."""

    def __init__(self) -> None:
        self.secrets = client("secretsmanager")
        self.parameters = client("ssm")

    def secret(self, **content: Any) -> str:
        """Make a secret; returns its ARN."""
        return str(self.secrets.create_secret(Name=uuid4().hex, **content)["ARN"])

    def parameter(self, value: str) -> str:
        """Make a parameter, encrypted; returns its name."""
        name = f"/prod/{uuid4().hex}"
        self.parameters.put_parameter(Name=name, Value=value, Type="SecureString")
        return name


@pytest.fixture
def account() -> Iterator[Account]:
    """An account of AWS, in this process."""
    with mock_aws():
        yield Account()


def password(reference: str) -> str:
    """The password that a function finds at its start."""
    settings = load(PostgresSettings, URL | {"DATABASE_PASSWORD": reference})
    assert settings.database_password
    assert CANARY not in repr(settings)
    return settings.database_password.get_secret_value()


def refusal(reference: str) -> str:
    """Return the reason why a function does not start, without setting and reference."""
    with pytest.raises(SettingsError) as error:
        load(PostgresSettings, URL | {"DATABASE_PASSWORD": reference})
    start = f"cannot start: DATABASE_PASSWORD is wrong: {reference}: "
    assert str(error.value).startswith(start)
    assert CANARY not in str(error.value)
    return str(error.value).removeprefix(start)


def test_a_secret_is_named_by_its_arn_or_its_name(account: Account) -> None:
    """The complete secret, or one of its keys."""
    arn = account.secret(SecretString=json.dumps({"password": "word", "port": 5432}))
    name = account.secrets.describe_secret(SecretId=arn)["Name"]
    assert password(f"aws-secretsmanager:{arn}#password") == "word"
    assert password(f"aws-secretsmanager:{name}#port") == "5432"
    assert json.loads(password(f"aws-secretsmanager:{name}")) == {"password": "word", "port": 5432}


def test_a_parameter_is_decrypted(account: Account) -> None:
    """A parameter may have keys too."""
    assert password(f"aws-ssm:{account.parameter('word')}") == "word"
    name = account.parameter(json.dumps({"key": "word"}))
    assert password(f"aws-ssm:{name}#key") == "word"


def test_an_arn_contains_its_region(account: Account, environment: pytest.MonkeyPatch) -> None:
    """Wherever the function runs."""
    arn = account.secret(SecretString="word")
    environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert password(f"aws-secretsmanager:{arn}") == "word"


def test_a_whole_url_may_be_a_secret(account: Account) -> None:
    """With the password in it, which no repr shows."""
    url = f"postgresql://user:{CANARY}@host/goalstream"
    reference = f"aws-secretsmanager:{account.secret(SecretString=url)}"
    settings = load(PostgresSettings, {"DATABASE_URL": reference})
    assert settings.database_url == url
    assert CANARY not in f"{settings!r} {settings}"


def test_a_rotated_secret_is_fetched_when_the_old_one_is_refused(account: Account) -> None:
    """Settings that were read earlier are reloaded."""
    arn = account.secret(SecretString="old")
    now = 0.0
    secrets = Secrets(fetch, lambda: now)
    assert secrets.resolve(f"aws-secretsmanager:{arn}") == "old"
    account.secrets.put_secret_value(SecretId=arn, SecretString="new")
    assert secrets.resolve(f"aws-secretsmanager:{arn}") == "old"
    now += REFRESH_AFTER_S
    assert secrets.resolve(f"aws-secretsmanager:{arn}", refresh=True) == "new"


def test_settings_do_not_fetch_a_secret_twice_in_a_short_time(account: Account) -> None:
    """A secret that was fetched just now is used without another request."""
    arn = account.secret(SecretString="old")
    environ = URL | {"DATABASE_PASSWORD": f"aws-secretsmanager:{arn}"}
    settings = load(PostgresSettings, environ)
    account.secrets.put_secret_value(SecretId=arn, SecretString="new")
    assert reload_if_changed(settings, "database_password") is None


@pytest.mark.usefixtures("account")
def test_an_absent_secret_is_named() -> None:
    """The error names the region too."""
    assert refusal("aws-secretsmanager:none") == f"there is no such secret in {REGION}"
    assert refusal("aws-ssm:/none") == f"there is no such parameter in {REGION}"


def test_a_wrong_key_is_named(account: Account) -> None:
    """Beside the keys that there are."""
    arn = account.secret(SecretString=json.dumps({"username": "u", "password": CANARY}))
    reference = f"aws-secretsmanager:{arn}#pasword"
    assert refusal(reference) == "it has no key 'pasword', but 'password', 'username'"


def test_a_key_of_a_secret_that_is_not_json_is_refused(account: Account) -> None:
    """The error contains no part of the content."""
    arn = account.secret(SecretString=CANARY)
    assert refusal(f"aws-secretsmanager:{arn}#key") == "it is not JSON, so it has no key 'key'"


def test_a_binary_secret_is_refused(account: Account) -> None:
    """Nobody knows what text it might be."""
    arn = account.secret(SecretBinary=CANARY.encode())
    assert refusal(f"aws-secretsmanager:{arn}") == "it is binary, not text"


def test_a_deleted_secret_is_refused(account: Account) -> None:
    """Though its name is still taken."""
    arn = account.secret(SecretString=CANARY)
    account.secrets.delete_secret(SecretId=arn)
    assert refusal(f"aws-secretsmanager:{arn}").startswith("it has no value now")


@pytest.mark.parametrize(
    ("code", "secret", "parameter"),
    [
        (
            "AccessDeniedException",
            "access is denied; it takes secretsmanager:GetSecretValue",
            "access is denied; it takes ssm:GetParameter",
        ),
        ("InvalidKeyId", *["access to its key is denied; it takes kms:Decrypt"] * 2),
        ("DecryptionFailure", *["access to its key is denied; it takes kms:Decrypt"] * 2),
        ("UnrecognizedClientException", *["the AWS credentials are not valid"] * 2),
        ("ExpiredTokenException", *["the AWS credentials have expired"] * 2),
        ("InternalServiceError", *["AWS answers InternalServiceError"] * 2),
    ],
)
def test_errors_of_aws_are_not_quoted(
    code: str, secret: str, parameter: str, environment: pytest.MonkeyPatch
) -> None:
    """AWS's message could contain too much for a log."""
    with fake_aws(db=CANARY) as aws:
        environment.setenv("AWS_ENDPOINT_URL", aws.variables["AWS_ENDPOINT_URL"])
        aws.refuses = (code, f"no {CANARY} for you")
        assert refusal("aws-secretsmanager:db") == secret
        assert refusal("aws-ssm:db") == parameter
        assert len(aws.asked) == 2


@pytest.mark.usefixtures("session")
def test_without_a_region_no_secret_can_be_read(environment: pytest.MonkeyPatch) -> None:
    """The variable is named."""
    environment.delenv("AWS_DEFAULT_REGION")
    assert refusal("aws-ssm:/db") == "no region is set, as in AWS_REGION=eu-central-1"


@pytest.mark.usefixtures("session")
def test_without_credentials_no_secret_can_be_read(environment: pytest.MonkeyPatch) -> None:
    """There are none in the environment, in files, or from a machine's role."""
    environment.delenv("AWS_ACCESS_KEY_ID")
    environment.delenv("AWS_SECRET_ACCESS_KEY")
    assert refusal("aws-ssm:/db") == "there are no AWS credentials"


def test_an_unavailable_aws_ends_the_start(environment: pytest.MonkeyPatch) -> None:
    """At once if no server listens."""
    environment.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert refusal("aws-ssm:/db") == "AWS does not answer in time"


def test_an_aws_that_hangs_ends_the_start_too(environment: pytest.MonkeyPatch) -> None:
    """Within seconds; the test shortens them."""
    assert (CLIENT_CONFIG.connect_timeout + CLIENT_CONFIG.read_timeout) * CLIENT_CONFIG.retries[
        "total_max_attempts"
    ] < 12
    hasty = CLIENT_CONFIG.merge(Config(connect_timeout=0.1, read_timeout=0.1))
    environment.setattr(aws_secrets, "CLIENT_CONFIG", hasty)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{mute.getsockname()[1]}")
        assert refusal("aws-ssm:/db") == "AWS does not answer in time"
