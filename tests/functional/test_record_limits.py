"""The cost of a batch of records at its limits: its time and memory are bounded."""

from collections.abc import Callable

import orjson
import pytest

from functions.consume_goal.app import BODY_LIMIT, build_app
from functions.consume_goal.consume import EventConsumer
from functions.shared.inbound.cloudevents import BATCH
from functions.shared.inbound.envelopes import MAX_RECORDS
from tests.support.builders.costs import KIB, MIB, filled, posted, price, trigger, unknown_field
from tests.support.builders.events import event_json
from tests.support.builders.revisions import RULES, cloud_event
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakePublisher, FakeStore

SMALLEST_RECORDS: dict[str, Callable[[], bytes]] = {
    "numbers": lambda: b"[" + b"1," * (BODY_LIMIT // 2 - 2) + b"1]",
    "objects": lambda: b"[" + b"{}," * (BODY_LIMIT // 3 - 2) + b"1]",
    "of lambda": lambda: (
        b'{"eventSource":"aws:kafka","records":{"t-0":[' + b"1," * (BODY_LIMIT // 2 - 40) + b"1]}}"
    ),
}


@pytest.mark.parametrize("kind", SMALLEST_RECORDS)
def test_too_many_records_are_refused_before_they_are_parsed(kind: str) -> None:
    """However many fit into the largest body."""
    client, body = trigger(), SMALLEST_RECORDS[kind]()
    content_type = BATCH if body.startswith(b"[") else "application/json"
    response, seconds = price(lambda: posted(client, "/", body, content_type=content_type))
    assert response.status_code == 413
    assert str(MAX_RECORDS) in response.json()["detail"]
    assert seconds < 2


def test_the_largest_batch_of_the_largest_body_is_accepted() -> None:
    """10,000 records in 16 MiB."""
    client = trigger()
    room = BODY_LIMIT // MAX_RECORDS - 400
    events = [
        event_json(eventId=f"{n}", description="x" * min(1024, room)) for n in range(MAX_RECORDS)
    ]
    body = orjson.dumps([cloud_event(event, at) for at, event in enumerate(events)])
    assert BODY_LIMIT * 0.7 < len(body) <= BODY_LIMIT
    response, seconds = price(lambda: posted(client, "/", body, content_type=BATCH))
    assert response.json() == {"batchItemFailures": []}
    assert seconds < 2


def test_10_000_rejected_records_are_answered_quickly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each with its identifier and a reason, and the first of them in the log."""
    client = trigger()
    event = orjson.loads(filled(b"{", unknown_field, b"}", 1000))
    body = orjson.dumps([cloud_event(event, at) for at in range(MAX_RECORDS)])
    response, seconds = price(lambda: posted(client, "/", body, content_type=BATCH))
    failures = response.json()["batchItemFailures"]
    assert len(failures) == MAX_RECORDS
    assert max(len(failure["reason"]) for failure in failures) < KIB
    assert len(caplog.records) < 100
    assert caplog.records[-1].__dict__["fields"] == {"records": MAX_RECORDS}
    assert seconds < 5


def test_one_record_of_the_largest_body_is_answered_quickly() -> None:
    """Its reason is not as large."""
    client = trigger()
    event = filled(b"{", unknown_field, b"}", BODY_LIMIT - 100)
    body = b'[{"kafkatopic":"t","kafkapartition":0,"kafkaoffset":1,"data":' + event + b"}]"
    response, seconds = price(lambda: posted(client, "/", body, content_type=BATCH))
    (failure,) = response.json()["batchItemFailures"]
    assert len(failure["reason"]) < KIB
    assert seconds < 3


def test_an_impossible_topic_name_is_not_repeated() -> None:
    """16 MiB of it."""
    record = cloud_event(event_json(), 0) | {"kafkatopic": "t" * (BODY_LIMIT - KIB)}
    response = posted(trigger(), "/", orjson.dumps([record]), content_type=BATCH)
    assert (response.status_code, len(response.content) < KIB) == (422, True)


LONG_TRACE = f"01-{'a' * 32}-{'b' * 16}-01-"


def test_an_extension_of_a_traceparent_is_not_stored() -> None:
    """It could be of any length."""
    store = FakeStore()
    consume = EventConsumer(store, FakeCache(), FakePublisher(), RULES)
    long = {"traceparent": LONG_TRACE + "x" * MIB}
    record = cloud_event(event_json(eventId="goal-1"), 0) | long
    response = posted(
        Client(build_app(lambda: consume)),
        "/",
        orjson.dumps([record]),
        content_type=BATCH,
    )
    assert response.json() == {"batchItemFailures": []}
    (row,) = store.rows.values()
    assert row["traceparent"] == LONG_TRACE[:55]
