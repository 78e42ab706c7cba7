"""What `status` makes of offsets, and what a running trigger tells."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pytest

from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.content import content, shown
from local.kafka_trigger.commands.probing import NotReached, standings
from local.kafka_trigger.commands.status import lag
from local.kafka_trigger.commands.topic_reader import Span
from local.kafka_trigger.consuming.partition import Partition
from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.consuming.record_queue import RecordQueue
from local.kafka_trigger.delivering.attempts import Attempts, CountedPosts
from local.kafka_trigger.delivering.transport import HttpResponse
from local.kafka_trigger.envelopes.payload import Payload
from local.kafka_trigger.observing.reports import status
from local.kafka_trigger.observing.trigger_state import TriggerState
from local.process.probes import Endpoints, ProbeResult, ProbeServer
from tests.support.builders.records import record
from tests.support.waiting import eventually

WELL = ProbeResult(True, {})


class Stubborn:
    """A delivery that posts each batch thrice, is let go, and is done."""

    def __init__(self, attempts: Attempts) -> None:
        self.let_go = threading.Event()
        self._posts = CountedPosts(self, attempts)

    def post(self, _: Payload) -> HttpResponse:
        """Answer."""
        return HttpResponse(500, b"")

    def deliver(self, records: Sequence[Record], done: Callable[[int], None]) -> None:
        """Post a batch until it is done."""
        for _ in range(3):
            self._posts.post(Payload("", b""))
        self.let_go.wait(10)
        done(records[-1].offset() + 1)


def test_a_running_trigger_tells_how_its_partitions_stand() -> None:
    """In flight, paused, attempts and age while a batch is tried; nothing of it afterwards."""
    attempts = Attempts()
    delivery = Stubborn(attempts)
    queue = RecordQueue(batch_size=2, batch_bytes=1000, window_s=0)
    partition = Partition(3, queue, delivery, threading.Event(), lambda: None, attempts)
    watch = TriggerState("one")
    watch.partitions[3] = partition
    watch.paused.add(3)
    tell = partial(status, [watch], now=12.0)
    partition.start()
    queue.put([record(offset, None, timestamp=(1, 10_000 + offset)) for offset in range(2)])
    busy = {"in_flight": 2, "paused": True, "attempts": 3, "oldest_age_s": 2.0}
    eventually(lambda: tell().body["triggers"] == told(busy))
    delivery.let_go.set()
    idle = {"in_flight": 0, "paused": True, "attempts": 0, "oldest_age_s": None}
    eventually(lambda: tell().body["triggers"] == told(idle))
    partition.stop()


def told(standing: Mapping[str, object]) -> dict[str, object]:
    """What is told of the one partition."""
    whole = {**standing, "blocked": None}
    return {"one": {"member": False, "partitions": {"3": whole}, "blocked": {}}}


def test_the_standings_are_read_from_the_probes() -> None:
    """By trigger and partition; whoever else answers there is told apart."""
    body = {"triggers": {"one": {"member": True, "partitions": {"3": {"in_flight": 2}}}}}
    sources = Endpoints(
        lambda: WELL, lambda: WELL, lambda: b"", {"/status": lambda: ProbeResult(True, body)}
    )
    with ProbeServer(sources, "127.0.0.1", 0) as probes:
        url = f"http://127.0.0.1:{probes.port}"
        assert standings(f"{url}/") == standings(url) == {("one", 3): {"in_flight": 2}}
        with pytest.raises(NotReached, match="no trigger's /status"):
            standings(f"{url}/else")
    with pytest.raises(NotReached, match="refused"):
        standings(url)


@pytest.mark.parametrize(
    ("committed", "span", "reset", "expected"),
    [
        (5, Span(0, 8), "latest", 3),
        (8, Span(0, 8), "earliest", 0),
        (None, Span(2, 8), "earliest", 6),
        (None, Span(2, 8), "latest", None),
        (1, Span(4, 8), "earliest", 4),
        (9, Span(0, 8), "earliest", 0),
    ],
)
def test_the_lag_is_what_the_group_has_before_it(
    committed: int | None, span: Span, reset: str, expected: int | None
) -> None:
    """What retention took is no lag, and who has not begun has all, or it depends."""
    assert lag(committed, span, reset) == expected  # type: ignore[arg-type]


def test_rows_are_lines_elsewhere_than_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A word or a text in quotation marks, which no value can break."""
    output.say_rows(
        [{"a": 1, "b": None, "c": "two words", "d": 'x="\n\x1b[2J', "e": True, "f": ""}]
    )
    assert capsys.readouterr().out == (
        'a=1 b=- c="two words" d="x=\\"\\\\n\\\\x1b[2J" e=yes f=""\n'
    )


@pytest.mark.parametrize(
    ("value", "document", "line"),
    [
        (None, {"json": None}, "null"),
        (b"\xff\x00", {"hex": "ff00"}, "0xff00"),
        (b'{"a": "\xc3\xa9"}', {"json": {"a": "é"}}, '{"a": "é"}'),
        (b"{", {"text": "{"}, "{"),
        (b"a\nb", {"text": "a\nb"}, "a\\nb"),
        (b"[" * 100_000, {"text": "[" * 100_000}, "[" * 100_000),
    ],
)
def test_bytes_are_json_or_text_or_hexadecimal(
    value: bytes | None, document: dict[str, object], line: str
) -> None:
    """Whatever a record holds; nothing of it reaches the terminal as a command."""
    assert content(value) == document
    assert json.dumps(content(value))
    assert shown(value) == line
