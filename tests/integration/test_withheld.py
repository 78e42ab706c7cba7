"""Slow and incomplete requests: they time out, and do not delay others."""

import asyncio
import time
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import AsyncExitStack
from statistics import median

import orjson
import pytest

from functions.shared.contract.topics import MATCH_EVENTS
from local.stack.ports import free_port
from tests.integration.framing import servers
from tests.integration.framing.answers import Answer, read_answers
from tests.integration.framing.connections import drip, exchange, sending
from tests.integration.framing.inputs import FIRST
from tests.integration.framing.targets import Target
from tests.support.builders.events import event_json
from tests.support.drivers.broker import running_broker

NAMES = ("gateway-events", "ingest_event")
TIMEOUT_S = 2
MARGIN_S = 2  # by which the gateway waits longer than a function
BUSY_S = 2  # for a machine that does much else
AT_ONCE_S = 1.5
EVENT = orjson.dumps(event_json(eventId="withheld"))
MANY = 200
REQUESTS = 50


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Target]]:
    """The gateway and the function that takes bodies."""
    folder = tmp_path_factory.mktemp("withheld")
    with running_broker(free_port()) as broker, servers.running_supervisor(folder) as supervisor:
        broker.create(MATCH_EVENTS)
        kafka, names = broker.bootstrap_servers, ("ingest_event", "list_highlights")
        started = servers.start(supervisor, folder, kafka, EVENT, TIMEOUT_S, names)
        yield {target.name: target for target in started}


def post(target: Target, *lines: bytes, content_type: bytes = b"application/json") -> bytes:
    """Return the header of a POST that ends with these lines."""
    headers = target.headers(FIRST, content_type)
    return b"\r\n".join([b"POST /events HTTP/1.1", *headers, *lines, b"", b""])


@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_does_not_come_is_a_408(asked: Mapping[str, Target], name: str) -> None:
    """With a length or in chunks, however much has arrived, and also a byte at a time."""
    target = asked[name]
    length, chunked = b"Content-Length: 100", b"Transfer-Encoding: chunked"
    late = [
        post(target, length),
        post(target, length) + b" " * 50,
        post(target, length, b"Expect: 100-continue"),
        post(target, chunked),
        post(target, chunked) + b"5\r\n12",
        post(target, chunked) + b"1\r\n \r\n0\r\n",
    ]
    drips = post(target, b"Content-Length: 999")
    for answers, seconds in asyncio.run(_each(target, late, drips)):
        _assert_problem(answers, 408)
        assert TIMEOUT_S - 0.5 < seconds < TIMEOUT_S + MARGIN_S + BUSY_S


@pytest.mark.parametrize("name", NAMES)
def test_a_header_that_does_not_come_ends_the_connection(
    asked: Mapping[str, Target], name: str
) -> None:
    """Nothing at all, half a line, empty lines, and half a header behind a served request."""
    target = asked[name]
    served = post(target, b"Content-Length: %d" % len(EVENT)) + EVENT
    late = [b"", b"GE", b"\r\n", post(target)[:-2], served + b"GET /health"]
    for answers, seconds in asyncio.run(_each(target, late)):
        assert [answer.status for answer in answers] in (
            *([], [408], [202], [202, 408]),
            *([400], [202, 400]),  # what Go says
        )
        assert seconds < TIMEOUT_S + MARGIN_S + BUSY_S


@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_is_announced_too_large_is_refused_at_once(
    asked: Mapping[str, Target], name: str
) -> None:
    """It is not awaited, even if the sender waits for the answer."""
    target = asked[name]
    large = b"Content-Length: 70000"
    for data in post(target, large), post(target, large, b"Expect: 100-continue"):
        _assert_at_once(target, data, 413)


def test_a_function_answers_at_once_what_its_header_is_enough_to_refuse(
    asked: Mapping[str, Target],
) -> None:
    """Only the gateway waits for the body: it could not stop waiting after the answer."""
    target = asked["ingest_event"]
    length = b"Content-Length: 9"
    _assert_at_once(target, post(target, length, content_type=b"text/plain"), 415)
    _assert_at_once(target, post(target, length).replace(b"/events", b"/nowhere", 1), 404)
    _assert_at_once(target, post(target, length).replace(b"POST", b"PUT", 1), 405)
    _assert_at_once(target, post(target, length).replace(b"X-Api-Key", b"X-Other", 1), 401)


def test_an_incomplete_body_is_answered_where_the_gateway_can(
    asked: Mapping[str, Target],
) -> None:
    """The client has half-closed, but still reads; Caddy may treat it as gone."""
    target = asked["gateway-events"]
    for framing in (b"Content-Length: 100", b"Transfer-Encoding: chunked"):
        request = post(target, framing) + b"5\r\n1"
        [answer] = read_answers(asyncio.run(exchange(target.port, request, half_close=True)))
        assert (answer.status, answer.closes) in ((400, True), (499, True))


@pytest.mark.parametrize("name", NAMES)
def test_two_hundred_of_them_cost_others_nothing(asked: Mapping[str, Target], name: str) -> None:
    """While they wait, requests are answered at their usual speed."""
    target = asked[name]
    usual, among_them, ended = asyncio.run(_beside_many(target))
    assert among_them < 3 * usual + 0.02
    assert ended == 0


def _assert_problem(answers: list[Answer], status: int) -> None:
    [answer] = answers
    assert answer.status == status
    assert answer.closes
    assert answer.headers["content-type"] == "application/problem+json"
    assert orjson.loads(answer.body)["status"] == status


def _assert_at_once(target: Target, data: bytes, status: int) -> None:
    answers, seconds = asyncio.run(_first(target, data))
    _assert_problem(answers, status)
    assert seconds < AT_ONCE_S


async def _each(
    target: Target, requests: list[bytes], *drips: bytes
) -> list[tuple[list[Answer], float]]:
    return await asyncio.gather(
        *(_timed(exchange(target.port, data)) for data in requests),
        *(_timed(drip(target.port, data)) for data in drips),
    )


async def _timed(received: Awaitable[bytes]) -> tuple[list[Answer], float]:
    began = time.monotonic()
    answers = read_answers(await received)
    return answers, time.monotonic() - began


async def _first(target: Target, data: bytes) -> tuple[list[Answer], float]:
    """The first answer, and when it was there; the connection may last a little longer."""
    began = time.monotonic()
    received = b""
    async with asyncio.timeout(TIMEOUT_S), sending(target.port, data) as reader:
        while not (answers := read_answers(received)) or not answers[0].complete:
            received += await reader.read(65536)
    return answers, time.monotonic() - began


async def _beside_many(target: Target) -> tuple[float, float, int]:
    """How long a request takes before and beside the many, and how many of these have ended."""
    usual = await _speed(target)
    withheld = [post(target, b"Content-Length: 1000") + b" ", post(target)[:-2]]
    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(sending(target.port, withheld[index % 2]))
            for index in range(MANY)
        ]
        among_them = await _speed(target)
        reads = [asyncio.ensure_future(reader.read(1)) for reader in readers]
        ended, waiting = await asyncio.wait(reads, timeout=0)
        for read in waiting:
            read.cancel()
    return usual, among_them, len(ended)


async def _speed(target: Target) -> float:
    """The median of the seconds that a post takes."""
    data = post(target, b"Connection: close", b"Content-Length: %d" % len(EVENT)) + EVENT
    seconds = []
    for _ in range(REQUESTS):
        answers, took = await _timed(exchange(target.port, data))
        assert [answer.status for answer in answers] == [202]
        seconds.append(took)
    return median(seconds)
