"""Our connections send at once: Nagle's algorithm is off.

A statement of more than 8 KB goes out in pieces, and its last would wait 40 ms for the server to
acknowledge the one before.
"""

import asyncio
import os
import socket
import ssl
from contextlib import closing, suppress
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import trustme

from functions.shared.postgres.connection import connect
from functions.shared.redis.page_cache import PageCache
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.load import load
from local.kafka_trigger.delivering.transport import HttpTransport
from local.kafka_trigger.envelopes.payload import Payload
from local.process.probes import Endpoints, ProbeResult, ProbeServer
from local.stack.ports import HOST
from local.stack.stack import Stack
from tests.support.drivers.broker import Broker
from tests.support.drivers.publishing import Posts
from tests.support.servers.function_server import FunctionServer
from tests.support.servers.relay import Relay, postgres_tls


def delays(port: int, *, to: bool = True) -> set[bool]:
    """Return whether Nagle's algorithm is on, for this process' connections to or from a port."""
    found = set()
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 (numbers are wanted, not paths)
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as each:
            if each.family in {socket.AF_INET, socket.AF_INET6}:
                peer, own = each.getpeername(), each.getsockname()
                if (peer if to else own)[1] == port:
                    found.add(not each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
    return found


@pytest.fixture(name="context")
def _context() -> ssl.SSLContext:
    """Return the context of a TLS server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(HOST).configure_cert(context)
    return context


def test_postgres_gets_statements_without_delay(stack: Stack) -> None:
    """Long statements are sent without a delay."""
    with closing(connect(stack.database_url, 10)):
        assert delays(urlsplit(stack.database_url).port or 0) == {False}


def test_postgres_gets_statements_without_delay_over_tls(
    stack: Stack, context: ssl.SSLContext
) -> None:
    """With TLS too."""
    of_stack = urlsplit(stack.database_url)
    with Relay(of_stack.port or 0, postgres_tls(context)) as relay:
        base_url = f"postgresql://{of_stack.username}@{HOST}:{relay.port}{of_stack.path}"
        with closing(connect(f"{base_url}?sslmode=require", 10)):
            assert delays(relay.port) == {False}


def test_redis_gets_commands_without_delay(stack: Stack) -> None:
    """By default of redis-py."""

    async def work() -> set[bool]:
        cache = PageCache(
            load(RedisSettings, {"REDIS_URL": stack.redis_url, "REDIS_TIMEOUT_S": "5"})
        )
        await cache.lease(uuid4(), "1")
        try:
            return delays(urlsplit(stack.redis_url).port or 0)
        finally:
            await cache.close()

    assert asyncio.run(work()) == {False}


def test_the_broker_gets_requests_without_delay(broker: Broker) -> None:
    """By default of librdkafka."""

    async def work() -> set[bool]:
        posts = Posts(broker.bootstrap_servers, broker.create(), 10)
        assert await posts.post()
        return delays(int(broker.bootstrap_servers.rpartition(":")[2]))

    assert asyncio.run(work()) == {False}


def test_a_function_gets_requests_without_delay() -> None:
    """The trigger's HTTP connection."""
    with (
        FunctionServer() as function,
        closing(HttpTransport(f"http://{HOST}:{function.port}/", timeout_s=10)) as transport,
    ):
        transport.post(Payload("application/json", b"[]"))
        assert delays(function.port) == {False}


def test_a_probe_is_answered_without_delay() -> None:
    """A probe's answers are sent in two parts, header and body."""
    nothing = ProbeResult(True, {})
    with (
        ProbeServer(Endpoints(lambda: nothing, lambda: nothing, lambda: b""), HOST, 0) as probes,
        socket.create_connection((HOST, probes.port), 10) as watcher,
    ):
        watcher.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        watcher.recv(1)
        assert delays(probes.port, to=False) == {False}
