"""References to secrets: their values, how often they are fetched, and their errors."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.errors import SecretError, SettingsError
from functions.shared.settings.load import load, reload_if_changed
from functions.shared.settings.secret_references import REFRESH_AFTER_S, Secrets

ROOT = Path(__file__).parents[2]
POSTGRES = {"DATABASE_URL": "postgresql://user@127.0.0.1:5432/goalstream"}
CANARY = "canary-7f3a"


class Vault:
    """A store of secrets by service and name, which counts its requests."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts
        self.requests: list[tuple[str, str]] = []
        self.now = 100.0
        self.secrets = Secrets(self._fetch, lambda: self.now)

    def _fetch(self, service: str, name: str) -> str:
        self.requests.append((service, name))
        if name not in self.texts:
            raise SecretError("there is no such secret")
        return self.texts[name]


@pytest.mark.parametrize(
    ("reference", "lookup"),
    [
        ("aws-secretsmanager:db", ("secretsmanager", "db")),
        (" aws-ssm:db\n", ("ssm", "db")),
    ],
)
def test_a_reference_has_the_value_of_its_secret(reference: str, lookup: tuple[str, str]) -> None:
    """Without the white space around either."""
    vault = Vault(db=" word\n")
    assert vault.secrets.resolve(reference) == "word"
    assert vault.requests == [lookup]


@pytest.mark.parametrize("value", ["", "word", "aws", "x aws-ssm:db", "aws-ssm", "aws-s3:db"])
def test_a_value_that_is_no_reference_is_unchanged(value: str) -> None:
    """No service is asked."""
    vault = Vault()
    assert vault.secrets.resolve(value) == value
    assert vault.requests == []


@pytest.mark.parametrize(
    "name", ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf", "/prod/db:3"]
)
def test_a_name_may_hold_colons_and_slashes(name: str) -> None:
    """As in AWS."""
    vault = Vault(**{name: json.dumps({"a#b": "word"})})
    assert vault.secrets.resolve(f"aws-ssm:{name}#a#b") == "word"


@pytest.mark.parametrize(
    ("value", "expected"), [("word", "word"), (5432, "5432"), (1.5, "1.5"), (True, "true")]
)
def test_a_key_selects_one_value_of_an_object(value: object, expected: str) -> None:
    """Text or a number."""
    vault = Vault(db=json.dumps({"key": value, "other": "x"}))
    assert vault.secrets.resolve("aws-ssm:db#key") == expected


@pytest.mark.parametrize(
    ("text", "reference", "why"),
    [
        ("", "aws-ssm:none", "there is no such secret"),
        (" \n", "aws-ssm:db", "it is empty"),
        ('{"key": ""}', "aws-ssm:db#key", "it is empty"),
        (CANARY, "aws-ssm:db#key", "it is not JSON, so it has no key 'key'"),
        (f'["{CANARY}"]', "aws-ssm:db#key", "it is no JSON object, so it has no key 'key'"),
        (
            f'{{"user": "{CANARY}", "a": 1}}',
            "aws-ssm:db#key",
            "it has no key 'key', but 'a', 'user'",
        ),
        ("{}", "aws-ssm:db#key", "it has no key 'key', but none at all"),
        (f'{{"key": ["{CANARY}"]}}', "aws-ssm:db#key", "its 'key' is neither text nor a number"),
        ('{"key": null}', "aws-ssm:db#key", "its 'key' is neither text nor a number"),
        (
            "",
            "aws-ssm:",
            "a reference is aws-secretsmanager:NAME or aws-ssm:NAME, and #KEY",
        ),
    ],
)
def test_an_error_has_no_value_of_a_secret(text: str, reference: str, why: str) -> None:
    """The error lists the names of keys, but none of their values."""
    with pytest.raises(SecretError) as error:
        Vault(db=text).secrets.resolve(reference)
    assert str(error.value) == why
    assert CANARY not in f"{error.value.__cause__!r}"
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_an_error_lists_a_few_of_many_keys() -> None:
    """The error stays on one line."""
    with pytest.raises(SecretError) as error:
        Vault(db=json.dumps(dict.fromkeys(map(str, range(100)), 1))).secrets.resolve("aws-ssm:db#x")
    assert str(error.value).endswith("…")
    assert len(str(error.value)) < 200


def test_a_secret_is_fetched_once() -> None:
    """However many settings refer to it, or to keys of it; each service has its own names."""
    vault = Vault(db=json.dumps({"user": "u", "password": "p"}))
    for key in ("user", "password", "user"):
        vault.secrets.resolve(f"aws-ssm:db#{key}")
    vault.secrets.resolve("aws-secretsmanager:db")
    vault.now += 1_000_000
    vault.secrets.resolve("aws-ssm:db")
    assert vault.requests == [("ssm", "db"), ("secretsmanager", "db")]


def test_a_secret_is_fetched_anew_when_it_is_refused() -> None:
    """From then on the reference has the new value."""
    vault = Vault(db="old")
    vault.secrets.resolve("aws-ssm:db")
    vault.texts["db"] = "new"
    vault.now += REFRESH_AFTER_S
    assert vault.secrets.resolve("aws-ssm:db") == "old"
    assert vault.secrets.resolve("aws-ssm:db", refresh=True) == "new"
    assert vault.secrets.resolve("aws-ssm:db") == "new"


def test_a_secret_that_stays_wrong_is_fetched_every_few_seconds() -> None:
    """However often it is refused; a fetch that fails counts."""
    vault = Vault(db="wrong")
    for _ in range(100):
        vault.secrets.resolve("aws-ssm:db", refresh=True)
        vault.now += REFRESH_AFTER_S / 10
    assert len(vault.requests) == pytest.approx(10, abs=1)
    del vault.texts["db"]
    vault.now += REFRESH_AFTER_S
    vault.requests.clear()
    with pytest.raises(SecretError):
        vault.secrets.resolve("aws-ssm:db", refresh=True)
    assert vault.secrets.resolve("aws-ssm:db", refresh=True) == "wrong"
    assert len(vault.requests) == 1


def test_secrets_are_not_shown() -> None:
    """Not even those in the cache."""
    vault = Vault(db=CANARY)
    vault.secrets.resolve("aws-ssm:db")
    assert CANARY not in repr(vault.secrets)


def test_settings_are_read_anew_from_a_file(tmp_path: Path) -> None:
    """A mounted secret that has changed; as long as it has not, there is nothing new."""
    file = tmp_path / "password"
    file.write_text("old")
    settings = load(PostgresSettings, POSTGRES | {"DATABASE_PASSWORD_FILE": str(file)})
    assert reload_if_changed(settings, "database_password") is None
    file.write_text("new\n")
    assert reload_if_changed(settings, "database_url") is None
    fresh = reload_if_changed(settings, "database_url", "database_password")
    assert fresh
    assert fresh.database_password
    assert fresh.database_password.get_secret_value() == "new"
    assert fresh == load(PostgresSettings, POSTGRES | {"DATABASE_PASSWORD_FILE": str(file)})
    assert reload_if_changed(fresh, "database_password") is None


def test_a_value_in_the_environment_itself_does_not_change() -> None:
    """A process keeps the variables that it was started with."""
    settings = load(PostgresSettings, POSTGRES | {"DATABASE_PASSWORD": "word"})
    assert reload_if_changed(settings, "database_url", "database_password") is None


@pytest.mark.parametrize("now", [None, "mysql://user:canary-7f3a@host/db"])
def test_settings_that_can_no_longer_be_read_do_not_end_the_process(
    now: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The process goes on with those that it has; the log says what is wrong, and no secret."""
    file = tmp_path / "url"
    file.write_text("postgresql://user@127.0.0.1/goalstream")
    settings = load(PostgresSettings, {"DATABASE_URL_FILE": str(file)})
    file.unlink() if now is None else file.write_text(now)
    assert reload_if_changed(settings, "database_url") is None
    assert "DATABASE_URL" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:12/canary-7f3a@host/db",
        "postgresql://user:12?canary-7f3a@host/db",
        "postgresql://user:12#canary-7f3a@host/db",
        "postgresql://user:a@canary-7f3a/b@host/db",
        "postgresql://user:canary-7f3a[@host/db",
        "postgresql://user:canary-7f3a/x@host/db",
    ],
)
def test_a_password_that_is_not_encoded_is_refused(url: str) -> None:
    """Otherwise a part of it would be taken for the host, and be shown in the error."""
    with pytest.raises(SettingsError) as error:
        load(PostgresSettings, {"DATABASE_URL": url})
    assert str(error.value).startswith("cannot start: DATABASE_URL is wrong: ")
    assert "canary" not in str(error.value)


@pytest.mark.parametrize(
    "function", sorted(ROOT.glob("functions/*/main.py")), ids=lambda p: p.parent.name
)
def test_boto3_is_not_imported_without_a_reference(function: Path) -> None:
    """It is not even imported."""
    environment = {**POSTGRES, "KAFKA_BOOTSTRAP_SERVERS": "a:1", "PYTHONPATH": str(ROOT)}
    module = f"functions.{function.parent.name}.main"
    script = f"import sys, {module}; sys.exit(bool({{'boto3', 'botocore'}} & sys.modules.keys()))"
    assert (
        subprocess.run([sys.executable, "-c", script], env=environment, check=False).returncode == 0
    )
