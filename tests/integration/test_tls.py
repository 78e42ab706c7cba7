"""TLS to Postgres, Redis and functions: which servers are trusted."""

import asyncio
import ssl
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import trustme

from functions.shared.errors import Unavailable
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.page_cache import PageCache
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.load import load
from local.kafka_trigger.delivering.transport import HttpTransport, Unreachable
from local.kafka_trigger.envelopes.payload import Payload
from local.stack.ports import HOST
from local.stack.stack import Stack
from tests.support.servers.function_server import FunctionServer, Reply
from tests.support.servers.relay import Relay, postgres_tls, tls

# How a server is called, and whether a client that wants HOST takes it.
NAMES = [(HOST, True), ("other.example", False)]


@pytest.fixture(scope="module", name="authority")
def _authority() -> trustme.CA:
    """The certificate authority that clients trust."""
    return trustme.CA()


@pytest.fixture(scope="module", name="file")
def _file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CA file of the clients."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def server(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """Return the TLS context of a server with this name, signed by this authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture(params=["right", "wrong name", "other authority"])
def presented(request: pytest.FixtureRequest, authority: trustme.CA) -> tuple[ssl.SSLContext, bool]:
    """A server's TLS context, and whether clients should trust it."""
    return {
        "right": (server(authority, HOST), True),
        "wrong name": (server(authority, "other.example"), False),
        "other authority": (server(trustme.CA(), HOST), False),
    }[request.param]


Presented = tuple[ssl.SSLContext, bool]


def in_postgres(url: str) -> list[list[int]]:
    """Return the answer of Postgres at a URL."""
    postgres = Postgres(load(PostgresSettings, {"DATABASE_URL": url}))
    with closing(postgres):
        return asyncio.run(postgres.run("SELECT cast(:number AS integer)", number=7))


def test_postgres_is_reached_as_verify_full(stack: Stack, presented: Presented, file: Path) -> None:
    """Only with the right name and CA; `require` checks neither."""
    context, is_believed = presented
    of_stack = urlsplit(stack.database_url)
    with Relay(of_stack.port or 0, postgres_tls(context)) as relay:
        base_url = f"postgresql://{of_stack.username}@{HOST}:{relay.port}{of_stack.path}"
        url = f"{base_url}?sslmode=verify-full&sslrootcert={file}"
        if is_believed:
            assert in_postgres(url) == [[7]]
        else:
            with pytest.raises(Unavailable):
                in_postgres(url)
        assert in_postgres(f"{base_url}?sslmode=require") == [[7]]


def test_postgres_without_tls_is_refused(stack: Stack, file: Path) -> None:
    """A server without TLS, or a middlebox that strips it, gets no password."""
    for more in ("require", f"verify-full&sslrootcert={file}"):
        with pytest.raises(Unavailable):
            in_postgres(f"{stack.database_url}?sslmode={more}")


def test_redis_is_reached_by_its_name(stack: Stack, presented: Presented, file: Path) -> None:
    """A stored page is read again; with an untrusted server nothing is exchanged."""
    context, is_believed = presented
    match = uuid4()
    with Relay(urlsplit(stack.redis_url).port or 0, tls(context)) as relay:
        url = f"rediss://{HOST}:{relay.port}/0?ssl_ca_certs={file}"
        settings = load(RedisSettings, {"REDIS_URL": url, "REDIS_TIMEOUT_S": "10"})

        async def keep_and_read() -> bytes | None:
            cache = PageCache(settings)
            _, lease = await cache.lease(match, "1")
            await cache.fill(match, "1", b"page", lease or b"")
            page = await cache.read(match, "1")
            await cache.close()
            await asyncio.sleep(0.01)  # its transports are closed in the loop's next rounds
            return page

        assert asyncio.run(keep_and_read()) == (b"page" if is_believed else None)


def test_a_function_is_reached_by_its_name(
    presented: Presented, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trigger posts only to servers that are trusted by SSL_CERT_FILE."""
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context, is_believed = presented
    payload = Payload("application/json", b"[]")
    with (
        FunctionServer(lambda _: Reply(200, b"taken")) as function,
        Relay(function.port, tls(context)) as relay,
        closing(HttpTransport(f"https://{HOST}:{relay.port}/", timeout_s=10)) as transport,
    ):
        if is_believed:
            assert transport.post(payload).body == b"taken"
        else:
            with pytest.raises(Unreachable, match="certificate verify failed"):
                transport.post(payload)
        assert len(function.requests) == is_believed
