"""The Kafka trigger as a process, between a real broker and a small function."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast, get_args

import orjson
import pytest
from starlette.datastructures import Headers

from functions.shared.inbound.envelopes import parse_envelope
from local.kafka_trigger.envelopes.encoder import SINGLE_RECORD, Envelope
from local.stack import ROOT
from local.stack.ports import free_port
from tests.support.drivers.broker import (
    APACHE_KAFKA_4,
    KIND,
    PROTOCOLS,
    Broker,
    mock_broker,
    running_broker,
)
from tests.support.drivers.trigger_process import PARTITIONS, Trigger, World
from tests.support.drivers.unnamed_header import write_unnamed_header
from tests.support.servers.function_server import FunctionServer, Reply, Request
from tests.support.waiting import eventually

HEADERS = [("ce_id", b"1"), ("twice", b"a"), ("twice", b"\xff"), ("null", None)]
POISON = b"poison"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
MAX_ATTEMPTS = 3  # in the triggers' file of these tests
HALVINGS = 7  # until one of 100 records stands alone
BUDGET_S = 0.05 + 0.1 + 1  # the longest waits after these attempts, and the requests themselves


@pytest.fixture
def world(broker: Broker, tmp_path: Path) -> Iterator[World]:
    """A topic and a function that accepts all."""
    with FunctionServer() as function:
        yield World(broker, function, tmp_path)


def test_records_are_delivered_in_order_within_each_partition(world: World) -> None:
    """Once, in batches of at most the batch size, and committed soon after."""
    for partition in range(PARTITIONS):
        world.write(range(1000), partition)
    with world.trigger() as trigger:
        eventually(lambda: len(world.accepted) >= 1000 * PARTITIONS)
        assert [world.accepted_numbers(each) for each in range(PARTITIONS)] == [
            list(range(1000))
        ] * 3
        eventually(lambda: world.is_committed(dict.fromkeys(range(PARTITIONS), 1000)))
        assert max(request.body.count(b'"data"') for request in world.function.requests) == 100
        [start] = trigger.log_lines("trigger starts")
        assert (start["group_protocol"], start["envelope"]) == ("classic", "cloudevents-batch")
        assert trigger.end() == 0
    assert len(world.accepted) == 1000 * PARTITIONS


@pytest.mark.parametrize("envelope", get_args(Envelope))
def test_each_envelope_delivers_every_record(world: World, envelope: Envelope) -> None:
    """In order, in a format that functions decode; the request count matches the batch size."""
    headers = [("traceparent", TRACE.encode())]
    values = [str(number).encode() for number in range(10)]
    world.broker.write(world.topic, values, key=b"key", headers=headers)
    world.function.reply = lambda _: Reply()
    size = 1 if envelope in SINGLE_RECORD else 5
    with world.trigger(envelope=envelope, batch_size=size):
        eventually(lambda: world.is_committed({0: 10}))
    opened = [
        parse_envelope(Headers(request.headers), request.body)
        for request in world.function.requests
    ]
    assert max(map(len, opened)) <= size
    assert [each.data for delivered in opened for each in delivered] == list(range(10))
    assert {each.traceparent for delivered in opened for each in delivered} == {TRACE}


def test_lambda_s_event_contains_the_bootstrap_servers(world: World) -> None:
    """A failure in the format of its responses is retried."""
    world.write(range(3))
    named = {"itemIdentifier": f"{world.topic}-0-1"}
    replies = [orjson.dumps({"batchItemFailures": [named]}), b"null"]
    world.function.reply = lambda _: Reply(200, replies.pop(0))
    with world.trigger(envelope="lambda"):
        eventually(lambda: world.is_committed({0: 3}))
    events = [orjson.loads(request.body) for request in world.function.requests]
    assert {each["bootstrapServers"] for each in events} == {world.broker.bootstrap_servers}
    offsets = [[one["offset"] for one in each["records"][f"{world.topic}-0"]] for each in events]
    assert offsets == [[0, 1, 2], [1]]


def test_records_that_no_filter_matches_are_committed_and_never_sent(world: World) -> None:
    """Even if the filter matches no record of a batch."""
    world.write(range(10))
    world.broker.write(world.topic, [b"10"], key=b"wanted")
    world.write(range(11, 20))
    wanted: dict[str, Any] = {"filter.key": ["wanted"]}
    with world.trigger(**wanted):
        eventually(lambda: world.is_committed({0: 20}))
    assert world.accepted_numbers() == [10]


@pytest.mark.skipif(sys.platform != "linux", reason="calls librdkafka's library for Linux")
def test_a_header_with_an_unreadable_name_stops_nothing(world: World) -> None:
    """Its record is delivered without headers, and the trigger logs it."""
    write_unnamed_header(world.broker.bootstrap_servers, world.topic, b"0")
    world.write(range(1, 3))
    with world.trigger(batch_size=1) as trigger:
        eventually(lambda: world.accepted_numbers() == [0, 1, 2])
        [line] = trigger.log_lines("a header's name is no UTF-8: without headers")
    assert (line["topic"], line["partition"], line["offset"]) == (world.topic, 0, 0)


def test_a_record_is_delivered_at_once(world: World) -> None:
    """Without a window, a single record waits for no other."""
    with world.trigger() as trigger:
        trigger.wait_until_assigned()
        delays = []
        for number in range(10):
            began = time.monotonic()
            world.write(range(number, number + 1))
            eventually(lambda number=number: len(world.accepted) > number)  # type: ignore[misc] # the default binds it
            delays.append(time.monotonic() - began)
    assert sorted(delays)[5] < 0.2


def test_an_unavailable_function_loses_no_record(world: World) -> None:
    """503, then no server, then it is back: all records in order, no dead letters, a short log."""
    world.write(range(500))
    answers = 0

    def unavailable(_: Request) -> Reply:
        nonlocal answers
        answers += 1
        return Reply(503)

    world.function.reply = unavailable
    dead_letters = world.broker.create()
    with world.trigger(dead_letter_topic=dead_letters) as trigger:
        eventually(lambda: answers > 10)
        world.function.reply = world.accept
        eventually(lambda: len(world.accepted) >= 500)
        assert world.accepted_numbers() == list(range(500))
        eventually(lambda: bool(trigger.log_lines("the function is back")))
        assert len(trigger.log_lines("the function is away; its records wait")) == 1
        assert not trigger.log_lines("dead letter")


def test_a_function_that_starts_later_is_waited_for(world: World) -> None:
    """A refused connection does not count as an attempt."""
    world.write(range(10))
    port = free_port()
    with world.trigger(function=f"http://127.0.0.1:{port}/") as trigger:
        eventually(lambda: bool(trigger.log_lines("the function is away; its records wait")))
        assert world.is_committed({})
        with FunctionServer(world.accept, port):
            eventually(lambda: len(world.accepted) >= 10)
            assert trigger.end() == 0
    assert world.accepted_numbers() == list(range(10))


FAILURES = {  # how the function deals with poison: what its dead letter tells, after how many tries
    "refuses": ("422", "HTTP 422: no event", 1 + HALVINGS),
    "names": ("200", "no event", 1),
    "fails": ("500", "HTTP 500: no event", MAX_ATTEMPTS + HALVINGS),
}


@pytest.mark.parametrize("how", FAILURES)
def test_a_poison_record_becomes_a_complete_dead_letter(world: World, how: str) -> None:
    """Of 1,000 records 999 are accepted, in order, and wait no longer than the retry budget."""
    status, error, most_tries = FAILURES[how]
    world.write(range(500))
    world.broker.write(world.topic, [POISON], key=b"\xff", headers=HEADERS)
    world.write(range(500, 999))
    met: list[float] = []

    def reply(request: Request) -> Reply:
        events = orjson.loads(request.body)
        poison = next((each for each in events if "data_base64" in each), None)
        if poison:
            met.append(time.monotonic())
        if poison and how != "names":
            return Reply(int(status), b"no event")
        world.accepted += [each for each in events if each is not poison]
        return Reply(200, failure(poison) if poison else b"")

    def failure(event: dict[str, Any]) -> bytes:
        identifier = {"partition": f"{world.topic}-0", "offset": int(event["kafkaoffset"])}
        item = {"itemIdentifier": identifier, "retryable": False, "reason": "no event"}
        return orjson.dumps({"batchItemFailures": [item]})

    world.function.reply = reply
    dead_letters = world.broker.create()
    with world.trigger(dead_letter_topic=dead_letters):
        eventually(lambda: world.is_committed({0: 1000}))
    assert world.accepted_numbers() == list(range(999))
    assert len(met) <= most_tries
    assert met[-1] - met[0] < BUDGET_S
    [dead_letter] = world.broker.read(dead_letters, 1)
    assert (dead_letter.key(), dead_letter.value()) == (b"\xff", POISON)
    headers = cast(list[tuple[str, bytes | None]], dead_letter.headers())
    assert headers[: len(HEADERS)] == HEADERS
    story = {name: (value or b"").decode() for name, value in headers[len(HEADERS) :]}
    assert story.pop("dlq_time")
    assert int(story.pop("dlq_attempts")) == len(met)
    assert story == {
        "dlq_topic": world.topic,
        "dlq_partition": "0",
        "dlq_offset": "500",
        "dlq_trigger": "test",
        "dlq_status": status,
        "dlq_error": error,
    }


def test_a_dead_letter_that_cannot_be_written_blocks_its_partition(world: World) -> None:
    """The offset is passed only when it is written; the other partitions go on."""
    world.broker.write(world.topic, [POISON])
    world.write(range(10), partition=1)

    def reply(request: Request) -> Reply:
        return Reply(400) if b"data_base64" in request.body else world.accept(request)

    world.function.reply = reply
    port = free_port()
    producer = f"""[kafka.producer]
    bootstrap.servers = "127.0.0.1:{port}"
    message.timeout.ms = 500"""
    probes = world.serve_probes()
    with world.trigger(producer, dead_letter_topic="dlq") as trigger:
        eventually(lambda: len(trigger.log_lines("dead letter not written yet")) >= 2)
        eventually(lambda: world.is_committed({1: 10}))
        assert not probes.is_ready()
        assert probes.blocked().keys() == {"0"}
        assert "a dead letter cannot be written" in probes.blocked()["0"]
        assert probes.value("kafka_trigger_partitions_blocked") == 1
        standing = probes.ask("/status")[1]["triggers"]["test"]["partitions"]
        assert standing["0"]["blocked"]
        assert standing["1"]["blocked"] is None
        with running_broker(port):  # it makes the topic by itself
            eventually(lambda: world.is_committed({0: 1, 1: 10}))
        assert len(trigger.log_lines("dead letter")) == 1
        assert probes.is_ready()
        assert probes.value("kafka_trigger_partitions_blocked") == 0


@pytest.mark.skipif(KIND == "embedded", reason="the embedded broker makes every topic")
def test_a_dead_letter_topic_that_is_created_later_is_waited_for(world: World) -> None:
    """Its partition reports that it is missing, and continues once it is created."""
    world.broker.write(world.topic, [POISON])
    world.function.reply = lambda _: Reply(400)
    missing = f"later-{world.topic}"
    probes = world.serve_probes()
    producer = """[kafka.producer]
    message.timeout.ms = 500
    topic.metadata.propagation.max.ms = 1000
    topic.metadata.refresh.interval.ms = 300000"""

    def why() -> str:
        return probes.blocked().get("0", "")

    with world.trigger(producer, dead_letter_topic=missing) as trigger:
        trigger.wait_until_assigned()
        eventually(lambda: "Message timed out" in why())
        eventually(lambda: "Local: Unknown topic" in why())  # from now on it is not asked for
        assert f"{missing}: Broker: Unknown topic or partition" in why()
        world.broker.create(missing)
        eventually(lambda: world.is_committed({0: 1}))
        assert probes.is_ready()


def test_a_killed_trigger_loses_nothing(world: World) -> None:
    """Another trigger continues at the committed offsets; only records in flight are repeated."""
    for partition in range(PARTITIONS):
        world.write(range(2000), partition)
    with world.trigger() as trigger:
        eventually(lambda: len(world.accepted) > 1000)
        trigger.process.kill()
        trigger.process.wait()
    with world.trigger():
        eventually(lambda: world.is_committed(dict.fromkeys(range(PARTITIONS), 2000)))
    for partition in range(PARTITIONS):
        assert set(world.accepted_numbers(partition)) == set(range(2000))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_group_that_starts_at_latest_misses_no_later_record(world: World, protocol: str) -> None:
    """Even if it is killed before its first delivery, and partitions were empty until then."""
    for number in range(10):  # a batch each: the embedded broker's end lies within the last one
        world.write(range(number, number + 1))
    world.function.reply = lambda _: Reply(503)
    with world.trigger(protocol, auto_offset_reset="latest") as trigger:
        trigger.wait_until_assigned()
        world.write(range(10, 20))
        eventually(lambda: bool(world.function.requests))
        trigger.process.kill()
    world.write(range(100, 110), partition=1)
    world.function.reply = world.accept
    with world.trigger(protocol, auto_offset_reset="latest"):
        eventually(lambda: len(world.accepted) >= 20)
    assert (world.accepted_numbers(0), world.accepted_numbers(1)) == (
        [*range(10, 20)],
        [*range(100, 110)],
    )


def test_a_slow_function_does_not_end_the_membership(world: World) -> None:
    """It may take longer than any of the group's time-outs, which are 2 s here."""
    world.write(range(100))

    def slow(request: Request) -> Reply:
        threading.Event().wait(4)
        return world.accept(request)

    world.function.reply = slow
    with world.trigger() as trigger:
        eventually(lambda: world.is_committed({0: 100}))
        assert world.accepted_numbers() == list(range(100))
        assert len(trigger.log_lines("partitions assigned")) == 1
        assert not trigger.log_lines("partitions revoked")
        assert not trigger.log_lines("partitions lost")


def test_a_stop_finishes_and_commits_what_is_in_flight(world: World) -> None:
    """SIGTERM: no further request, status 0; the next trigger repeats nothing."""
    world.write(range(300))
    asked, hold = threading.Event(), threading.Event()

    def delayed(request: Request) -> Reply:
        asked.set()
        hold.wait(10)
        return world.accept(request)

    world.function.reply = delayed
    with world.trigger() as trigger:
        assert asked.wait(20)
        trigger.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            trigger.process.wait(0.3)
        hold.set()
        assert trigger.process.wait(20) == 0
        assert trigger.log_lines("left the group")
    assert world.accepted_numbers() == list(range(100))
    assert world.is_committed({0: 100})
    with world.trigger():
        eventually(lambda: len(world.accepted) >= 300)
    assert world.accepted_numbers() == list(range(300))


def test_a_stop_retries_the_failures_of_a_partial_batch(world: World) -> None:
    """Otherwise the records behind the failed ones would be delivered twice."""
    world.write(range(10))
    asked = threading.Event()

    def naming(request: Request) -> Reply:
        if asked.is_set():
            return world.accept(request)
        asked.set()
        world.accepted += orjson.loads(request.body)[1:]
        named = {"partition": f"{world.topic}-0", "offset": 0}
        failures = [{"itemIdentifier": named}]
        return Reply(200, orjson.dumps({"batchItemFailures": failures}), {"Retry-After": "1"})

    world.function.reply = naming
    with world.trigger() as trigger:
        assert asked.wait(20)
        assert trigger.end() == 0
    assert sorted(world.accepted_numbers()) == list(range(10))
    assert world.is_committed({0: 10})


def test_a_stop_does_not_wait_for_a_function_for_ever(world: World) -> None:
    """Records that are not finished within the budget are not committed, and delivered again."""
    world.write(range(10))
    hold, asked = threading.Event(), threading.Event()

    def delayed(request: Request) -> Reply:
        asked.set()
        hold.wait(30)
        return world.accept(request)

    world.function.reply = delayed
    with world.trigger(drain_s=0.2) as trigger:
        assert asked.wait(20)
        began = time.monotonic()
        assert trigger.end() == 0
        assert time.monotonic() - began < 5
    hold.set()
    assert world.is_committed({})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_triggers_of_a_group_share_the_partitions(world: World, protocol: str) -> None:
    """Each record is delivered once and in order, even if its partition changes owners."""
    join_and_leave(world, protocol)


def test_apache_kafka_4_s_group_protocol_is_supported(tmp_path: Path) -> None:
    """The same with `group.protocol=consumer`, without the settings of the classic protocol."""
    with mock_broker() as broker, FunctionServer() as function:
        join_and_leave(World(broker, function, tmp_path), APACHE_KAFKA_4)


def join_and_leave(world: World, extra: str) -> None:
    """Let a second trigger join and leave while records are written and delivered."""
    written = 0

    def write_more() -> None:
        nonlocal written
        for partition in range(PARTITIONS):
            world.write(range(written, written + 50), partition)
        written += 50

    with world.trigger(extra) as first:
        first.wait_until_assigned()
        with world.trigger(extra) as second:
            while not second.log_lines("partitions assigned"):
                write_more()
            eventually(lambda: shared(first, second))
            write_more()
            eventually(lambda: len(world.accepted) >= written * PARTITIONS)
            assert second.end() == 0
        write_more()
        eventually(lambda: world.is_committed(dict.fromkeys(range(PARTITIONS), written)))
        assert first.end() == 0
    for partition in range(PARTITIONS):
        assert world.accepted_numbers(partition) == list(range(written))


def shared(*triggers: Trigger) -> bool:
    """Whether each of these has some of the partitions, by its last log line."""
    return all(trigger.log_lines("partitions assigned")[-1]["owned"] for trigger in triggers)


def test_waiting_retries_end_when_their_partition_is_revoked(world: World) -> None:
    """A long backoff does not delay a rebalance."""
    world.write(range(10))
    world.function.reply = lambda _: Reply(503, b"", {"Retry-After": "60"})
    world.max_poll_interval_ms = 61_000
    with world.trigger(drain_s=60) as trigger:
        eventually(lambda: bool(trigger.log_lines("the function is away; its records wait")))
        began = time.monotonic()
        assert trigger.end() == 0
        assert time.monotonic() - began < 5


def test_a_topic_that_is_created_later_is_waited_for(world: World) -> None:
    """The trigger logs it, and goes on by itself."""
    world.topic = f"later-{world.topic}"
    probes = world.serve_probes()
    with world.trigger() as trigger:
        eventually(lambda: bool(trigger.log_lines("Kafka reports an error")))
        assert not probes.is_ready()
        assert "cannot be read" in probes.blocked()["all"]
        world.broker.create(world.topic, PARTITIONS)
        world.write(range(10))
        eventually(lambda: len(world.accepted) >= 10)
        assert probes.is_ready()


def test_a_broker_that_starts_later_is_waited_for(world: World) -> None:
    """Meanwhile the log is not flooded, and SIGTERM is obeyed."""
    port = free_port()
    world.broker = Broker(f"127.0.0.1:{port}")
    with world.trigger() as trigger:
        eventually(lambda: b"refused" in trigger.log.read_bytes())
        with running_broker(port) as world.broker:
            world.broker.create(world.topic, PARTITIONS)
            world.write(range(10))
            eventually(lambda: len(world.accepted) >= 10)
        assert trigger.end() == 0
        assert len(trigger.log.read_bytes().splitlines()) < 40


def test_a_stop_while_joining_does_not_block_the_group(world: World) -> None:
    """A trigger that is stopped at its start leaves a group that the next one can join."""
    world.write(range(10))
    with world.trigger() as trigger:
        eventually(lambda: bool(trigger.log_lines("trigger starts")))
        assert trigger.end() == 0
        assert not world.accepted
    with world.trigger():
        eventually(lambda: len(world.accepted) >= 10)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_stop_does_not_hang_when_the_broker_is_gone(tmp_path: Path, protocol: str) -> None:
    """Offsets that cannot be committed and a group that cannot be left are waited for briefly."""
    hold, asked = threading.Event(), threading.Event()

    def delayed(_: Request) -> Reply:
        asked.set()
        hold.wait(20)
        return Reply()

    kind = mock_broker() if protocol == "consumer" else running_broker(free_port())
    with FunctionServer() as function, ExitStack() as brokers:
        world = World(brokers.enter_context(kind), function, tmp_path)
        function.reply = delayed
        world.write(range(10))
        with world.trigger(f'group.protocol = "{protocol}"') as trigger:
            assert asked.wait(20)
            brokers.close()
            hold.set()
            assert trigger.end() == 0


def test_an_invalid_file_is_reported_with_status_2(tmp_path: Path) -> None:
    """No traceback for an error in the file, whether we or librdkafka detect it."""
    file = tmp_path / "triggers.toml"
    trigger = """[[trigger]]
    name = "a"
    topic = "t"
    group = "g"
    function = "http://f"
    auto_offset_reset = "earliest"
    """
    for text, error in {
        "[kafka]": "bootstrap.servers",
        f'[kafka]\nbootstrap.servers = "b"\nno.such.key = 1\n{trigger}': "no.such.key",
    }.items():
        file.write_text(text)
        command = [sys.executable, "-m", "local.kafka_trigger", "check", str(file)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert ended.returncode == 2
        assert error in ended.stderr
        assert "Traceback" not in ended.stderr
