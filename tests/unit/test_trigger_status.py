"""The status of a running trigger, the lag, and how rows and bytes are printed."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pytest

from local.kafka_trigger.commands import output
from local.kafka_trigger.commands.dead_letters.printing import bytes_as_json, bytes_as_text
from local.kafka_trigger.commands.live_status import StatusUnavailable, fetch_live_status
from local.kafka_trigger.commands.status import lag
from local.kafka_trigger.commands.topic_reader import OffsetRange
from local.kafka_trigger.consuming.partition_worker import PartitionWorker
from local.kafka_trigger.consuming.record_queue import RecordQueue
from local.kafka_trigger.consuming.trigger_state import TriggerState
from local.kafka_trigger.delivering.context import DeliveryStatus
from local.kafka_trigger.observing.reports import status
from local.kafka_trigger.record import Record
from local.process.probes import Endpoints, ProbeResult, ProbeServer
from tests.support.builders.records import record
from tests.support.waiting import eventually

OK = ProbeResult(True, {})


class FakeDeliverer:
    """A deliverer that has made three attempts, and waits to be released."""

    def __init__(self, status: DeliveryStatus) -> None:
        self.released = threading.Event()
        self._status = status

    def deliver(self, records: Sequence[Record], on_progress: Callable[[int], None]) -> None:
        """Wait, and report the batch as processed."""
        self._status.attempts = 3
        self.released.wait(10)
        on_progress(records[-1].offset() + 1)


def test_a_running_trigger_reports_the_status_of_its_partitions() -> None:
    """In flight, paused, attempts and age during a batch; zero or none of them afterwards."""
    delivery = DeliveryStatus()
    deliverer = FakeDeliverer(delivery)
    queue = RecordQueue(batch_size=2, batch_bytes=1000, window_s=0)
    worker = PartitionWorker(3, queue, deliverer, delivery, threading.Event(), lambda: None)
    state = TriggerState("one")
    state.workers[3] = worker
    state.paused.add(3)
    report = partial(status, [state], now=12.0)
    worker.start()
    queue.put([record(offset, None, timestamp=(1, 10_000 + offset)) for offset in range(2)])
    busy = {"in_flight": 2, "paused": True, "attempts": 3, "oldest_age_s": 2.0}
    eventually(lambda: report().body["triggers"] == expected(busy))
    deliverer.released.set()
    idle = {"in_flight": 0, "paused": True, "attempts": 0, "oldest_age_s": None}
    eventually(lambda: report().body["triggers"] == expected(idle))
    worker.stop()


def expected(partition: Mapping[str, object]) -> dict[str, object]:
    """The triggers in the report, with this status of the one partition."""
    unblocked = {**partition, "blocked": None}
    return {"one": {"member": False, "partitions": {"3": unblocked}, "blocked": {}}}


def test_the_status_is_fetched_from_the_probes() -> None:
    """By trigger and partition; another server there is an error."""
    body = {"triggers": {"one": {"member": True, "partitions": {"3": {"in_flight": 2}}}}}
    sources = Endpoints(
        lambda: OK, lambda: OK, lambda: b"", {"/status": lambda: ProbeResult(True, body)}
    )
    with ProbeServer(sources, "127.0.0.1", 0) as probes:
        url = f"http://127.0.0.1:{probes.port}"
        assert (
            fetch_live_status(f"{url}/") == fetch_live_status(url) == {("one", 3): {"in_flight": 2}}
        )
        with pytest.raises(StatusUnavailable, match="no trigger's /status"):
            fetch_live_status(f"{url}/else")
    with pytest.raises(StatusUnavailable, match="refused"):
        fetch_live_status(url)


@pytest.mark.parametrize(
    ("committed", "available", "reset", "expected"),
    [
        (5, OffsetRange(0, 8), "latest", 3),
        (8, OffsetRange(0, 8), "earliest", 0),
        (None, OffsetRange(2, 8), "earliest", 6),
        (None, OffsetRange(2, 8), "latest", None),
        (1, OffsetRange(4, 8), "earliest", 4),
        (9, OffsetRange(0, 8), "earliest", 0),
    ],
)
def test_the_lag_is_the_number_of_offsets_to_read(
    committed: int | None, available: OffsetRange, reset: str, expected: int | None
) -> None:
    """Without what retention deleted; a group that has not begun reads all, or only new records."""
    assert lag(committed, available, reset) == expected  # type: ignore[arg-type]


def test_rows_are_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Each value is a word, or in quotation marks that it cannot break."""
    output.print_rows(
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
def test_bytes_are_printed_as_json_text_or_hexadecimal(
    value: bytes | None, document: dict[str, object], line: str
) -> None:
    """Control characters are escaped, so that the terminal obeys none."""
    assert bytes_as_json(value) == document
    assert json.dumps(bytes_as_json(value))
    assert bytes_as_text(value) == line
