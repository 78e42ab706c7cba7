"""The measuring tools of the benchmarks: load, processor time, and comparison with a target."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.stack.ports import HOST
from local.supervisor import Command, Process
from tests.benchmarks.load import Load
from tests.benchmarks.process_tree import cpu_s, resident
from tests.benchmarks.result import at_least, at_most
from tests.benchmarks.stream.broadcast import key_of, require_all
from tests.benchmarks.stream.clients import Received, ResponseParser, connected
from tests.support.waiting import eventually

FORKS_AND_SPINS = """
import os, time
if os.fork():
    time.sleep(60)
while True:
    pass
"""


@contextmanager
def served(status: int) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """The address of a server that answers with a status, and each target and body that came."""
    came = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            came.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}", came
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_load_counts_the_responses_of_each_target() -> None:
    """Three connections share two targets, and each has one request under way at its end."""
    with served(202) as (url, came):
        outcome = Load(url, ("/a", "/b"), connections=3, seconds=0.2, body="{}").run()
    assert set(came) == {("/a", b"{}"), ("/b", b"{}")}
    assert outcome.requests <= len(came) <= outcome.requests + 3
    assert 0 < outcome.rate * 0.2 < outcome.requests
    assert 0 < outcome.latency_ms < 200
    assert 0 < outcome.busy < 1


def test_a_load_that_is_refused_measures_nothing() -> None:
    """A quick error is no answer."""
    with served(503) as (url, _), pytest.raises(RuntimeError, match="503"):
        Load(url, ("/",), connections=1, seconds=0.1, body="{}").run()


@contextmanager
def streamed(chunks: Sequence[bytes]) -> Iterator[str]:
    """The address of a server that sends these chunks to each client, and then keeps silent."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in chunks:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.flush()
            self.rfile.read(1)  # until the client leaves

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}/stream"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def frame(id_: int, status: str) -> bytes:
    """An event of a stream."""
    return b'event: highlight\nid: %d\ndata: {"id":"%d","status":"%s"}\n\n' % (
        id_,
        id_,
        status.encode(),
    )


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_stream_is_parsed_however_its_bytes_arrive(size: int) -> None:
    """A packet, a chunk and an event may end anywhere in one another."""
    first, second = frame(1, "READY"), frame(2, "READY")
    response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
        b"%x\r\n%s\r\n" % (len(chunk), chunk)
        for chunk in (first[:20], first[20:] + second[:9], second[9:])
    )
    parser = ResponseParser()
    packets = (response[at : at + size] for at in range(0, len(response), size))
    frames = [each for packet in packets for each in parser.feed(packet)]
    assert frames == [first.removesuffix(b"\n\n"), second.removesuffix(b"\n\n")]


def test_a_response_without_a_stream_is_an_error() -> None:
    """Such as that of a server with too many clients."""
    with pytest.raises(RuntimeError, match="503"):
        ResponseParser().feed(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")


def test_clients_of_a_stream_note_each_event_and_when_it_came() -> None:
    """Comments and other events are left out."""
    first, second = frame(1, "READY"), frame(2, "READY")
    chunks = [b"event: ready\ndata: {}\n\n:\n\n" + first, second + second]
    began = time.perf_counter()
    with streamed(chunks) as url, connected(url, 3) as clients:
        received = clients.receive(3)
    assert [key_of(data) for data in received.data] == [("1", "READY"), ("2", "READY")]
    assert received.numbers == [[0, 1, 1]] * 3
    assert all(began < came < time.perf_counter() for times in received.times for came in times)


@pytest.mark.parametrize("numbers", [[0], [0, 1, 1], [1, 0]])
def test_a_stream_that_leaves_out_repeats_or_reorders_is_found(numbers: Sequence[int]) -> None:
    """No figures are given of a stream that a client cannot rely on."""
    data = [frame(number, "READY").split(b"data: ")[1].decode() for number in (1, 2)]
    expected = [("1", "READY"), ("2", "READY")]
    require_all(Received(data, [[0, 1], [0, 1]], [], 0), expected)
    with pytest.raises(RuntimeError, match=f"a client got {len(numbers)} of 2"):
        require_all(Received(data, [[0, 1], numbers], [], 0), expected)


def test_the_processor_time_of_a_process_includes_its_children(tmp_path: Path) -> None:
    """The head of this tree sleeps; between two runs it takes nothing."""
    log = tmp_path / "log"
    log.touch()
    process = Process(
        Command("spins", (sys.executable, "-c", FORKS_AND_SPINS)), log, print_line=lambda _: None
    )
    process.start()
    try:
        eventually(lambda: cpu_s(process) > 0.3)
        assert resident(process) > 0
    finally:
        process.stop(timeout_s=0)
    assert (cpu_s(process), resident(process)) == (0, 0)


def test_a_ratio_is_the_median_of_those_of_rounds() -> None:
    """A slow round of the machine slows both sides: here no round has the ratio of the medians."""
    ours, peer = [300.0, 20.0, 100.0], [100.0, 10.0, 200.0]
    result = at_least("it", "requests/s", ours, peer, "bare", 2)
    assert (result.ours, result.peer) == ("100 requests/s", "100 requests/s, bare")
    assert (result.figure, result.aim, result.good) == ("2.00 ×", "≥ 2 ×", True)


def test_an_aim_is_for_more_or_for_less() -> None:
    """And without one every figure is good."""
    ours, peer = [150.0], [100.0]
    assert at_least("rate", "/s", ours, peer, "bare", 1.4).good
    assert not at_least("rate", "/s", ours, peer, "bare", 1.6).good
    assert at_most("cost", "µs", ours, peer, "bare", 1.6).good
    assert not at_most("cost", "µs", ours, peer, "bare", 1.4).good
    assert at_least("rate", "/s", ours, peer, "bare").good
    assert at_most("cost", "µs", ours, peer, "bare").good
