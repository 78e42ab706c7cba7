"""stream-highlights on functions-framework's server, with Postgres and Valkey."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import httpx
import psutil
import pytest
from redis import Redis
from redis.exceptions import RedisError

from functions.consume_goal.revisions import revision_of
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.connection import connect
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.redis.page_cache import PageCache
from functions.shared.redis.scripts import CHANGES
from functions.shared.redis.settings import RedisSettings
from local.stack.ports import HOST, free_port
from local.stack.services import functions
from local.stack.services.functions import Function
from local.stack.stack import Stack
from local.supervisor import Process
from tests.support.builders.events import MATCH, OTHER_MATCH, event_json, identified
from tests.support.builders.revisions import RULES
from tests.support.drivers.event_stream import Follower
from tests.support.drivers.stream_connection import StreamConnection, body_of, streaming
from tests.support.drivers.table import TIMEOUT_S, Table
from tests.support.waiting import eventually

ANNOUNCED_S = 0.5  # for a change that is announced, on a machine that does much else
LOOK_S = 1.5  # for one that is not, of which 0.9 s are between looks
MANY = 2000  # highlights, of 4 KB each: more than a connection's buffers hold
Start = Callable[..., "Server"]


class Server:
    """A running stream-highlights."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.port = port

    def __call__(self, query: str = "", **headers: str) -> Any:
        """Connect to a stream during a block."""
        return streaming(self.port, query, **headers)

    def memory(self) -> int:
        """Return the bytes of memory of its worker."""
        [worker] = psutil.Process(self.process.pid).children()
        return int(worker.memory_info().rss)

    def unread(self, query: str) -> socket.socket:
        """Ask for a stream, and read nothing of it."""
        client = socket.create_connection((HOST, self.port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.sendall(f"GET /highlights/stream{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return client


@pytest.fixture
def start(quiet_stack: Stack, table: Table, tmp_path: Path) -> Iterator[Start]:
    """Start the function with these settings, on the services of the stack; the table is empty."""
    assert not table.statuses()
    with ExitStack() as running:
        # Short, as the path of a socket has to be.
        sockets = Path(running.enter_context(TemporaryDirectory()))

        def run(ready_at: str = "/ready", **settings: str) -> Server:
            function = Function("stream_highlights", free_port())
            given = {**quiet_stack.addresses.function_settings("stream_highlights"), **settings}
            log = tmp_path / f"{function.port}.log"
            log.touch()
            command = functions.server(function, given, sockets, ready_at)
            process = Process(command, log, print_line=print)
            process.start()
            running.callback(process.stop)
            process.wait_ready()
            return Server(process, function.port)

        yield run


def record(
    stack: Stack, *numbers: int, announce: bool = True, match_id: UUID = MATCH, **fields: Any
) -> None:
    """Record goals by their numbers, and announce the change, as consume-goal does."""

    async def work() -> None:
        settings = {"REDIS_URL": stack.redis_url, "REDIS_TIMEOUT_S": "5"} if announce else {}
        cache = PageCache(RedisSettings.model_validate(settings))
        async with cache.change({match_id}):
            await HighlightStore(postgres).record(revisions)
        await cache.close()

    given = {"DATABASE_URL": stack.database_url}
    postgres = Postgres(PostgresSettings.model_validate(given))
    events = [
        identified(matchId=str(match_id), eventId=f"goal-{number}", **fields) for number in numbers
    ]
    nowhere = ReceivedRecord(None, None, None)
    revisions = [revision_of(event, nowhere, RULES) for event in events]
    with closing(postgres):
        asyncio.run(work())


def listeners(stack: Stack) -> int:
    """Return how many processes listen to the announcements of changes; -1 without Redis."""
    redis: Any = Redis.from_url(stack.redis_url)
    with closing(redis), suppress(RedisError):
        [(_, count)] = redis.pubsub_numsub(CHANGES)
        return int(count)
    return -1


def players(stream: StreamConnection) -> list[str]:
    """Return the players of the highlights that a stream has sent."""
    return [event.data["player"] for event in stream.follower.events if event.name == "highlight"]


def test_a_change_is_told_at_once(start: Start, stack: Stack) -> None:
    """With the whole document, and a place to come back to."""
    server = start()
    with server() as stream:
        assert stream.response.status == 200
        assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["Cache-Control"] == "no-store"
        assert stream.response.headers["X-Accel-Buffering"] == "no"
        stream.until_named("ready")
        record(stack, 1, player="Messi")
        assert stream.until_named("highlight") < ANNOUNCED_S
        [document] = stream.follower.documents.values()
        shown = httpx.get(f"{stack.highlights_url}/highlights/{document['id']}")
        assert document == shown.json()
    with server(**{"Last-Event-ID": stream.follower.parser.last_id}) as again:
        again.until_named("ready")
        assert players(again) == []
        record(stack, 2, player="Di María")
        again.until_named("highlight")
        assert players(again) == ["Di María"]


def test_a_change_is_told_within_a_second_without_redis(start: Start, stack: Stack) -> None:
    """The table is looked at about once a second."""
    with start(REDIS_URL="")() as stream:
        stream.until_named("ready")
        record(stack, 1)
        assert stream.until_named("highlight") < LOOK_S


def test_redis_may_hang_and_come_back(start: Start, stack: Stack) -> None:
    """Meanwhile changes are told within a second, afterwards at once again."""
    with start()() as stream:
        stream.until_named("ready")
        stack.processes["valkey"].pause()
        record(stack, 1, announce=False)
        assert stream.until_named("highlight") < LOOK_S
        stack.processes["valkey"].kill()
        stack.processes["valkey"].wait_ready()
        eventually(lambda: listeners(stack) == 1)
        record(stack, 2)
        assert stream.until(lambda follower: len(follower.documents) == 2) < ANNOUNCED_S


def test_without_clients_nothing_is_listened_to(start: Start, stack: Stack) -> None:
    """One connection to Redis serves all clients of a process."""
    server = start()
    assert listeners(stack) == 0
    with server() as first, server() as second:
        first.until_named("ready")
        second.until_named("ready")
        eventually(lambda: listeners(stack) == 1)
    eventually(lambda: listeners(stack) == 0)


def test_a_change_waits_for_older_transactions(start: Start, stack: Stack, table: Table) -> None:
    """It is told soon after they have ended, though nothing announces that."""
    with start()() as stream, closing(connect(table.url, TIMEOUT_S)) as older:
        stream.until_named("ready")
        older.run("BEGIN")
        older.run("SELECT pg_current_xact_id()")
        record(stack, 1, player="Messi")
        time.sleep(0.3)
        assert players(stream) == []
        older.run("COMMIT")
        assert stream.until_named("highlight") < LOOK_S


def test_a_client_that_comes_late_is_told_everything_that_is_there(
    start: Start, stack: Stack
) -> None:
    """By the match, side and type that it asks for; later changes follow."""
    record(stack, *range(500), team="home", player="a")
    record(stack, *range(500, 520), team="away", player="b")
    record(stack, *range(5), team="home", match_id=OTHER_MATCH)
    server = start()
    filters = f"?matchId={MATCH}&team=home&eventType=goal&lastEventId=0"
    with server("?lastEventId=0") as everything, server(filters) as some:
        everything.until_named("ready")
        some.until_named("ready")
        assert len(everything.follower.documents) == 525
        assert len(some.follower.documents) == 500
        record(stack, 600, team="away")
        record(stack, 601, team="home", player="last")
        some.until(lambda follower: len(follower.documents) == 501)
        assert players(some)[-1] == "last"
        everything.until(lambda follower: len(follower.documents) == 527)


def test_an_id_from_before_a_restore_is_answered_by_a_reset(
    start: Start, stack: Stack, table: Table
) -> None:
    """At once for a client that comes with it, and soon for one that is there; both go on."""
    server = start()
    with server() as stream:
        stream.until_named("ready")
        old = stream.follower.parser.last_id
        table.run("TRUNCATE highlights")  # begins a new epoch, as a restore does
        stream.until_named("reset")
        with server(f"?lastEventId={old}") as late:
            late.until_named("ready")
            assert late.follower.names() == ["reset", "ready"]
            assert late.follower.events[0].data == {"begin": "?changedSince=0"}
            record(stack, 1, player="Messi")
            late.until_named("highlight")
            stream.until_named("highlight")


def test_streams_end_at_once_when_the_server_stops(start: Start, stack: Stack) -> None:
    """With a last event, also if a client takes nothing; the process ends without an error."""
    record(stack, *range(2000), description="x" * 1000)
    server = start()
    with server() as stream, closing(server.unread("?lastEventId=0")):
        stream.until_named("ready")
        began_at = time.monotonic()
        server.process.request_stop()
        assert stream.until_end() == "the server shuts down"
        assert time.monotonic() - began_at < 1
        assert server.process.wait_stopped(3)
    assert "rror" not in server.process.log.read_text()


def test_a_client_that_is_too_slow_is_ended(start: Start, stack: Stack) -> None:
    """It costs little memory and holds nobody back; it catches up by its id."""
    server = start(STREAM_BACKLOG="100")
    with server() as stream, closing(server.unread("")) as slow:
        stream.until_named("ready")
        slow.recv(1, socket.MSG_PEEK)
        before = server.memory()
        for batch in range(MANY // 100):
            numbers = range(100 * batch, 100 * batch + 100)
            record(stack, *numbers, description="x" * 1000, metadata={"x": "x" * 2000})
        stream.until(lambda follower: len(follower.documents) == MANY)
        assert server.memory() - before < 10 * 2**20
        slow.settimeout(10)
        received = b""
        with suppress(ConnectionResetError):
            while piece := slow.recv(1 << 20):
                received += piece
        follower = Follower()
        follower.feed(body_of(received))
        assert len(follower.documents) < MANY
    with server(f"?lastEventId={follower.parser.last_id}") as again:
        again.until_named("ready")
        assert len(again.follower.documents | follower.documents) == MANY
        assert not set(again.follower.documents) & set(follower.documents)
    assert "rror" not in server.process.log.read_text()


def test_a_client_that_leaves_frees_its_place_at_once(start: Start) -> None:
    """Until then another one is refused, and told when to come back."""
    server = start(STREAM_MAX_CLIENTS="1")
    url = f"http://{HOST}:{server.port}/highlights/stream"
    with server() as stream:
        stream.until_named("ready")
        refused = httpx.get(url)
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert 5 <= int(refused.headers["retry-after"]) <= 15
    eventually(lambda: is_accepted(server), within_s=1)


def is_accepted(server: Server) -> bool:
    """Return whether a stream begins."""
    with server() as stream:
        return bool(stream.response.status == 200)


def test_a_stream_ends_after_a_time(start: Start, stack: Stack) -> None:
    """And the client comes back without a gap."""
    server = start(STREAM_MAX_AGE_S="1")
    with server() as stream:
        assert stream.until_end() == "connect again"
        assert 1000 <= (stream.follower.parser.retry_ms or 0) <= 4000
    record(stack, 1)
    with server(f"?lastEventId={stream.follower.parser.last_id}") as again:
        again.until_named("highlight")


def test_a_highlight_that_is_enriched_is_told_through_the_gateway(
    stack: Stack, table: Table, http: httpx.Client
) -> None:
    """Within a second after it is ready, by the stack's own function."""
    with streaming(stack.addresses.highlights_port) as stream:
        stream.until_named("ready")
        http.post(f"{stack.events_url}/events", json=event_json(eventId="1")).raise_for_status()
        eventually(lambda: table.statuses() == {"READY": 1})
        took_s = stream.until(
            lambda follower: "READY" in [each["status"] for each in follower.documents.values()]
        )
        assert took_s < 1
