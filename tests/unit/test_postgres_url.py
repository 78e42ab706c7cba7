"""The TLS options of DATABASE_URL and REDIS_URL."""

import ssl
from pathlib import Path

import pytest
import trustme

from functions.shared.postgres import url as postgres_url
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.base import Settings
from functions.shared.settings.errors import SettingsError
from functions.shared.settings.load import load

URL = "postgresql://me:hush@db.example/goals"


@pytest.fixture(scope="module", name="authority")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of an authority."""
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return path


def test_without_tls() -> None:
    """Never with `disable`; without an sslmode, if the server has it."""
    assert postgres_url.parse(f"{URL}?sslmode=disable").tls is False
    assert postgres_url.parse(URL).tls is None


@pytest.mark.parametrize(
    ("mode", "given", "name", "certificate"),
    [
        ("require", False, False, ssl.CERT_NONE),
        ("require", True, False, ssl.CERT_REQUIRED),
        ("verify-full", False, True, ssl.CERT_REQUIRED),
        ("verify-full", True, True, ssl.CERT_REQUIRED),
    ],
)
def test_the_server_is_checked_as_the_sslmode_requires(
    mode: str, given: bool, name: bool, certificate: ssl.VerifyMode, authority: Path
) -> None:
    """As in libpq: the name only with `verify-full`, the CA if there is one."""
    query = f"sslmode={mode}" + (f"&sslrootcert={authority}" if given else "")
    context = postgres_url.parse(f"{URL}?{query}").tls
    assert isinstance(context, ssl.SSLContext)
    assert (context.check_hostname, context.verify_mode) == (name, certificate)
    if given:
        assert len(context.get_ca_certs()) == 1


def refusal(model: type[Settings], name: str, value: str) -> str:
    """The error that stops the start."""
    with pytest.raises(SettingsError) as error:
        load(model, {name: value})
    return str(error.value)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("sslmode=verify_full", "sslmode is one of disable, require, verify-full"),
        ("sslmode=prefer", "sslmode is one of"),
        ("sslmode=", "sslmode is one of"),
        ("sslmode=verify-full&sslrootcert=/nowhere", "sslrootcert cannot be read: No such file"),
        (f"sslmode=verify-full&sslrootcert={__file__}", "sslrootcert cannot be read"),
        ("sslrootcert=/nowhere", "no sslmode that uses it"),
        ("sslmode=disable&sslrootcert=/nowhere", "no sslmode that uses it"),
        ("sslmode=require&sslcert=me.pem", "sslcert: only sslmode and sslrootcert"),
    ],
)
def test_an_unsupported_parameter_stops_the_start(query: str, reason: str) -> None:
    """Otherwise a connection might be less safe than intended; the error has no password."""
    message = refusal(PostgresSettings, "DATABASE_URL", f"{URL}?{query}")
    assert message.startswith("cannot start: DATABASE_URL is wrong: ")
    assert reason in message
    assert "hush" not in message


def test_a_missing_ca_file_of_redis_stops_the_start() -> None:
    """At once, not at the first call."""
    url = "rediss://:hush@cache.example:6379/0?ssl_ca_certs=/nowhere"
    message = refusal(RedisSettings, "REDIS_URL", url)
    assert message == "cannot start: REDIS_URL is wrong: ssl_ca_certs names no file"
