"""Request framing: no part of a request is ever taken for the next one, nor the reverse."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial

import orjson
import pytest

from functions.shared.contract.topics import MATCH_EVENTS
from local.stack.ports import free_port
from local.supervisor import Supervisor
from tests.integration.framing import servers
from tests.integration.framing.answers import Answer, read_answers
from tests.integration.framing.catalogue import inputs
from tests.integration.framing.connections import exchange, sending
from tests.integration.framing.inputs import FIRST, GARBAGE, SECOND, Input
from tests.integration.framing.judge import HALF, faults
from tests.integration.framing.targets import KEY, Target
from tests.support.builders.events import event_json
from tests.support.drivers.broker import running_broker
from tests.support.length import IS_LONG

NAMES = (
    "gateway-events", "gateway-highlights",
    "ingest_event", "consume_goal", "enrich_batch",
    "list_highlights", "get_highlight", "stream_highlights",
)  # fmt: skip
SHARED = NAMES if IS_LONG else NAMES[:3]
AT_ONCE = 16
# Of an answer that a proxy holds back nobody else would know.
ANSWERED_S = 0.2
EVENT = orjson.dumps(event_json(eventId="framing"))

Servers = Mapping[str, Target]
Proxies = Mapping[str, Mapping[str, int]]


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    """The supervisor of this file's servers."""
    with servers.running_supervisor(tmp_path_factory.mktemp("framing")) as supervisor:
        yield supervisor


@pytest.fixture(scope="module")
def asked(supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The gateway and the functions, on a broker that accepts events."""
    with running_broker(free_port()) as broker:
        broker.create(MATCH_EVENTS)
        folder = tmp_path_factory.mktemp("asked")
        started = servers.start(supervisor, folder, broker.bootstrap_servers, EVENT)
        yield {target.name: target for target in started}


@pytest.fixture(scope="module")
def proxies(
    supervisor: Supervisor, asked: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Proxies:
    """A second Caddy, and nginx where it is installed, each with a port for each server."""
    behind = [asked[name] for name in SHARED]
    made = {}
    for proxy in (servers.caddy, servers.nginx) if servers.NGINX else (servers.caddy,):
        command, ports = proxy(tmp_path_factory.mktemp(proxy.__name__), behind)
        supervisor.run(command, timeout_s=30)
        made[proxy.__name__] = ports
    return made


def health(marker: str, connection: str = "close") -> bytes:
    """Return a request whose answer can be recognised by its marker."""
    return (
        f"GET /health HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\n"
        f"traceparent: 00-{marker}-0000000000000001-01\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("name", NAMES)
def test_the_second_request_on_a_connection_gets_its_own_answer_or_none(
    asked: Servers, name: str
) -> None:
    """However the first is framed, and whatever its body contains."""
    target = asked[name]
    assert not asyncio.run(_all(target, partial(_pipelined, target)))


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("proxy", ["caddy", "nginx"])
def test_others_behind_the_same_proxy_get_their_own_answers(
    asked: Servers, proxies: Proxies, name: str, proxy: str
) -> None:
    """The proxy sends the requests of several clients over the same connections."""
    if proxy not in proxies:
        pytest.skip("nginx is not installed")
    shared = partial(_behind, proxies[proxy][name])
    assert not asyncio.run(_all(asked[name], shared, at_once=1))


@pytest.mark.parametrize("name", ["gateway-events", "ingest_event"])
def test_a_trailer_is_no_header(asked: Servers, name: str) -> None:
    """A key must be sent in the header, where proxies see it too."""
    target = asked[name]
    key = b"X-Api-Key: " + KEY.encode()
    lines = target.headers(FIRST, key=False)
    head = [b"POST /events HTTP/1.1", *lines, b"Trailer: X-Api-Key", b"Transfer-Encoding: chunked"]
    body = b"\r\n%x\r\n%s\r\n0\r\n%s\r\n\r\n" % (len(EVENT), EVENT, key)
    [answer] = _answers(target, b"\r\n".join([*head, body]))
    assert answer.status == 401


LARGE = health(FIRST).replace(b"\r\n\r\n", b"\r\nX-A: " + b"a" * 17_000 + b"\r\n\r\n")
LARGER = health(FIRST).replace(b"\r\n\r\n", b"\r\nX-A: " + b"a" * 300_000 + b"\r\n\r\n")
OWN = [(GARBAGE, 400), (b"GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n", 400), (LARGE, 431), (LARGER, 431)]


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("gateway")])
@pytest.mark.parametrize(("data", "status"), OWN)
def test_what_a_functions_server_refuses_by_itself_is_a_problem(
    asked: Servers, name: str, data: bytes, status: int
) -> None:
    """Invalid HTTP and too large headers are refused before the function is called."""
    [answer] = _answers(asked[name], data)
    assert_problem(answer, status)


def test_what_the_gateways_server_refuses_by_itself_is_a_line_of_text(asked: Servers) -> None:
    """Without Caddy's routes; a header that is too large only for a function is refused by that."""
    target = asked["gateway-events"]
    assert_problem(_answers(target, LARGE)[0], 431)
    for data, status in [(GARBAGE, 400), (LARGER, 431)]:
        [answer] = _answers(target, data)
        assert (answer.status, answer.closes) == (status, True)
        assert answer.headers["content-type"].startswith("text/plain")


def assert_problem(answer: Answer, status: int) -> None:
    """Check for problem details (RFC 9457) and the end of the connection."""
    assert (answer.status, answer.closes) == (status, True)
    assert answer.headers["content-type"] == "application/problem+json"
    assert orjson.loads(answer.body)["status"] == status


def _answers(target: Target, data: bytes) -> list[Answer]:
    return read_answers(asyncio.run(exchange(target.port, data)))


async def _all(
    target: Target, ask: Callable[[Input], Awaitable[list[str]]], at_once: int = AT_ONCE
) -> list[str]:
    turns = asyncio.Semaphore(at_once)

    async def one(given: Input) -> list[str]:
        async with turns:
            try:
                found = await ask(given)
                # A server waits for half a second before it resets a connection with unread bytes;
                # who is too busy to read by then is asked again.
                return await ask(given) if found and all(HALF in each for each in found) else found
            except TimeoutError:
                return [f"{given.name}: the connection does not end"]

    found = await asyncio.gather(*map(one, inputs(target)))
    return [fault for each in found for fault in each]


async def _pipelined(target: Target, given: Input) -> list[str]:
    received = await exchange(target.port, given.data + health(SECOND))
    return faults(given, received)


async def _behind(port: int, given: Input) -> list[str]:
    async with sending(port, given.data + health(SECOND)) as reader:
        found = [fault for turn in range(3) for fault in await _own(port, given, turn)]
        with suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(reader.read(1), ANSWERED_S)
        found += await _own(port, given, 3)
    return found + await _own(port, given, 4)


async def _own(port: int, given: Input, turn: int) -> list[str]:
    marker = f"{0xA0 + turn:032x}"
    [answer] = read_answers(await exchange(port, health(marker)))
    if (answer.status, answer.marker) == (200, marker):
        return []
    return [f"{given.name}: another got {answer.status} for {answer.marker or 'nobody'}"]
