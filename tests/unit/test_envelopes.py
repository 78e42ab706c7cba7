"""The envelopes of records: CloudEvents as a batch, structured, and binary, and AWS Lambda's."""

import base64
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from functions.shared.errors import GoalStreamError, RecordsRejected
from functions.shared.http.problems import problem_of
from functions.shared.inbound.cloudevents import BATCH, STRUCTURED
from functions.shared.inbound.envelopes import failures_answer, open_envelope
from functions.shared.inbound.received_record import ReceivedRecord, RejectedRecord
from tests.support.builders.events import event_json
from tests.support.builders.revisions import cloud_event

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PLACE = {"partition": "match-events-0", "offset": 7}


def opened(content_type: str, body: Any, **headers: str) -> list[ReceivedRecord]:
    """Return the records of a request with this body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return open_envelope(Headers({"content-type": content_type, **named}), raw)


def refused(content_type: str, body: Any, **headers: str) -> int:
    """Return the status with which a request is refused."""
    with pytest.raises(GoalStreamError) as refusal:
        opened(content_type, body, **headers)
    return problem_of(refusal.value).status


@pytest.mark.parametrize(
    "content_type", [BATCH, f"{BATCH}; charset=utf-8", BATCH.upper(), f" {BATCH} ;x=y"]
)
def test_a_batch_holds_records_in_their_order(content_type: str) -> None:
    """Each with its data, its trace and its place."""
    events = [cloud_event(event_json(), 7, traceparent=TRACE), cloud_event({"a": 1}, 8)]
    first, second = opened(content_type, events)
    assert first == ReceivedRecord(event_json(), TRACE, PLACE)
    assert second == ReceivedRecord({"a": 1}, None, {**PLACE, "offset": 8})


def test_a_batch_may_be_empty() -> None:
    """Then there is nothing to do."""
    assert opened(BATCH, []) == []


@pytest.mark.parametrize("attributes", [{}, {"traceparent": TRACE}])
def test_a_structured_event_is_one_record(attributes: dict[str, str]) -> None:
    """Without a name, since it comes alone; its trace is its own, or that of the request."""
    event = cloud_event({"a": 1}, 7, **attributes)
    headers = {} if attributes else {"traceparent": TRACE}
    assert opened(STRUCTURED, event, **headers) == [ReceivedRecord({"a": 1}, TRACE, None)]


def test_a_binary_event_is_one_record() -> None:
    """Its attributes are headers, its data the body."""
    attributes = {
        "ce-id": "1", "ce-specversion": "1.0", "ce-type": "t", "ce-source": "/",
        "ce-kafkatopic": "match-events", "ce-kafkapartition": "0", "ce-kafkaoffset": "7",
        "ce-traceparent": TRACE,
    }  # fmt: skip
    assert opened("application/json", {"a": 1}, **attributes) == [
        ReceivedRecord({"a": 1}, TRACE, None)
    ]


KNATIVE = {
    "ce-specversion": "1.0",
    "ce-type": "dev.knative.kafka.event",
    "ce-source": "/apis/v1/namespaces/default/kafkasources/goals#match-events",
    "ce-subject": "partition:0#7",
    "ce-id": "partition:0/offset:7",
    "ce-time": "2025-12-08T20:16:00Z",
    "ce-key": "00000000-0000-0000-0000-000000000001",
    "traceparent": TRACE,
}


@pytest.mark.parametrize("content_type", ["application/json", "", "text/plain"])
def test_what_knative_s_kafka_source_posts_is_a_record(content_type: str) -> None:
    """Whatever type it gives the value; the trace is that of the request."""
    assert opened(content_type, {"a": 1}, **KNATIVE) == [ReceivedRecord({"a": 1}, TRACE, None)]


def test_a_binary_event_that_is_no_json_has_no_data() -> None:
    """An empty body, as of a tombstone, has none either."""
    for body in (b"{", b"", b"\xff"):
        assert opened("application/json", body, **KNATIVE)[0].data is None


def lambda_record(offset: Any, value: bytes | None = b'{"a": 1}', **more: Any) -> dict[str, Any]:
    """Return a record as AWS Lambda sends it."""
    value_member = {} if value is None else {"value": base64.b64encode(value).decode()}
    return {
        "topic": "match-events",
        "partition": 0,
        "offset": offset,
        "timestamp": 1545084650987,
        "timestampType": "CREATE_TIME",
        "headers": [],
        **value_member,
        **more,
    }


def lambda_event(source: str = "SelfManagedKafka", **records: Any) -> dict[str, Any]:
    """Return AWS Lambda's event with these records by their partitions."""
    named = {name.replace("_", "-"): each for name, each in records.items()}
    return {"eventSource": source, "bootstrapServers": "b:9092", "records": named}


@pytest.mark.parametrize("source", ["aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka"])
def test_a_lambda_event_holds_the_records_of_several_partitions(source: str) -> None:
    """Each with its place and its trace; a tombstone and what is no JSON have no data."""
    signed = [byte - 256 if byte > 127 else byte for byte in "é".encode()]
    headers = [{"other": signed}, {"traceparent": list(TRACE.encode())}]
    event = lambda_event(
        source,
        a_0=[lambda_record(7, headers=headers), lambda_record(8, None)],
        a_1=[lambda_record(1, b"{", partition=1)],
    )
    assert opened("application/json; charset=utf-8", event) == [
        ReceivedRecord({"a": 1}, TRACE, PLACE),
        ReceivedRecord(None, None, {**PLACE, "offset": 8}, "the record has no value"),
        ReceivedRecord(
            None,
            None,
            {"partition": "match-events-1", "offset": 1},
            "the value is no JSON: unexpected end of data at line 1 column 2",
        ),
    ]


@pytest.mark.parametrize("record", [None, 1, [], lambda_record("x"), {}])
def test_a_lambda_record_that_is_none_has_no_place(record: object) -> None:
    """Its neighbours are none the worse."""
    first, second = opened("application/json", lambda_event(a_0=[record, lambda_record(7)]))
    assert first.identifier is None
    assert second == ReceivedRecord({"a": 1}, None, PLACE)


@pytest.mark.parametrize(
    "headers",
    [None, {}, [1], [{"traceparent": "x"}], [{"traceparent": [""]}], [{"traceparent": [-1, 300]}]],
)
def test_lambda_headers_that_are_none_carry_no_trace(headers: object) -> None:
    """The record is taken all the same."""
    event = lambda_event(a_0=[lambda_record(7, headers=headers)])
    assert opened("application/json", event) == [ReceivedRecord({"a": 1}, None, PLACE)]


@pytest.mark.parametrize(
    "body", [{}, {"eventSource": "aws:sqs", "records": {}}, {"eventSource": "aws:kafka"}, []]
)
def test_other_json_is_no_envelope(body: object) -> None:
    """Neither another event of AWS, nor one without records."""
    assert refused("application/json", body) == 415


def test_data_may_come_as_base64() -> None:
    """It is read as JSON all the same."""
    event = cloud_event(None, 7)
    del event["data"]
    event["data_base64"] = base64.b64encode(json.dumps({"player": "三笘薫"}).encode()).decode()
    (delivery,) = opened(BATCH, [event])
    assert delivery == ReceivedRecord({"player": "三笘薫"}, None, PLACE)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe", b"not json", b'"\xed\xa0\x80"', b"[" * 5000]
)
def test_data_that_is_no_json_is_none(data: bytes) -> None:
    """The record keeps its place, so that it can be called by it."""
    event = cloud_event(None, 7)
    del event["data"]
    event["data_base64"] = base64.b64encode(data).decode()
    (delivery,) = opened(BATCH, [event])
    assert (delivery.data, delivery.identifier) == (None, PLACE)
    assert delivery.unreadable


@pytest.mark.parametrize("data_base64", [None, 1, "", "!", "é", "YQ", [], {}, "YQ==\n"])
def test_base64_that_is_none_is_no_data(data_base64: object) -> None:
    """Neither does it fail its neighbours."""
    event = cloud_event(None, 7, data_base64=data_base64)
    del event["data"]
    assert opened(BATCH, [event, cloud_event(1, 8)])[1].data == 1


def test_a_record_without_a_value_has_no_data() -> None:
    """A tombstone of Kafka's."""
    event = cloud_event(None, 7)
    del event["data"]
    assert opened(BATCH, [event]) == [ReceivedRecord(None, None, PLACE, "the record has no value")]


@pytest.mark.parametrize("item", [None, 1, "text", [], True])
def test_an_item_that_is_no_event_is_a_record_without_anything(item: object) -> None:
    """It does not fail its neighbours."""
    first, second = opened(BATCH, [item, cloud_event(1, 7)])
    assert first == ReceivedRecord(None, None, None, "an item of the batch is no CloudEvent")
    assert second.data == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"kafkaoffset": "x"}, {"kafkaoffset": None}, {"kafkaoffset": []}, {"kafkapartition": {}},
        {"kafkapartition": "one"}, {"kafkaoffset": "1" * 5000}, {"kafkatopic": None},
        {"kafkatopic": {}}, {"kafkaoffset": "1" * 25},
    ],
)  # fmt: skip
def test_a_place_that_is_none_is_not_made_up(wrong: dict[str, Any]) -> None:
    """To call a record by a wrong name would be to lose another one."""
    (delivery,) = opened(BATCH, [cloud_event(1, 7) | wrong])
    assert delivery.identifier is None


@pytest.mark.parametrize("name", ["kafkatopic", "kafkapartition", "kafkaoffset"])
def test_a_place_needs_all_its_parts(name: str) -> None:
    """Topic, partition and offset."""
    event = cloud_event(1, 7)
    del event[name]
    assert opened(BATCH, [event])[0].identifier is None


@pytest.mark.parametrize("traceparent", [None, 1, [], {}])
def test_a_trace_that_is_no_text_is_none(traceparent: object) -> None:
    """The record is none the worse."""
    assert opened(BATCH, [cloud_event(1, 7, traceparent=traceparent)]) == [
        ReceivedRecord(1, None, PLACE)
    ]


@pytest.mark.parametrize("traceparent", ["", "x", "\0", "00-" + "0" * 52])
def test_a_trace_that_is_no_traceparent_is_none(traceparent: str) -> None:
    """What is kept with the row and handed on is one, and Postgres can keep it."""
    assert opened(BATCH, [cloud_event(1, 7, traceparent=traceparent)]) == [
        ReceivedRecord(1, None, PLACE)
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1,", b"nul", b"[" * 10_000, b"[1e999]"])
@pytest.mark.parametrize("content_type", [BATCH, STRUCTURED])
def test_an_envelope_that_is_no_json_is_a_400(content_type: str, body: bytes) -> None:
    """Whatever it is instead."""
    assert refused(content_type, body) == 400


@pytest.mark.parametrize(
    ("content_type", "body"),
    [(BATCH, {}), (BATCH, "x"), (BATCH, None), (STRUCTURED, []), (STRUCTURED, 1)],
)
def test_an_envelope_of_another_kind_is_a_400(content_type: str, body: object) -> None:
    """A batch is an array, an event an object."""
    assert refused(content_type, body) == 400


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "text/plain", "x", ";", BATCH[:-1]]
)
def test_what_is_no_cloud_event_is_a_415(content_type: str) -> None:
    """It says which are taken."""
    assert refused(content_type, []) == 415


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ATTRIBUTES = [
    "data", "data_base64", "traceparent", "kafkatopic", "kafkapartition", "kafkaoffset", "id",
]  # fmt: skip

LAMBDA = dict.fromkeys(("topic", "partition", "offset", "value", "headers"), JSON)


@given(
    st.sampled_from([BATCH, STRUCTURED, "application/json", ""])
    | st.text(st.characters(max_codepoint=255)),
    st.binary()
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.lists(st.dictionaries(st.sampled_from(ATTRIBUTES), JSON)).map(
        lambda value: json.dumps(value).encode()
    )
    | st.dictionaries(st.text(), st.lists(st.fixed_dictionaries({}, optional=LAMBDA)) | JSON).map(
        lambda value: json.dumps(lambda_event() | {"records": value}).encode()
    ),
    st.dictionaries(
        st.sampled_from([f"ce_{name}" for name in ATTRIBUTES]),
        st.text(st.characters(max_codepoint=255)),
    ),
)
def test_garbage_of_every_kind_is_records_or_a_problem(
    content_type: str, body: bytes, headers: dict[str, str]
) -> None:
    """Nothing else is raised, and every failure of what was opened can be answered."""
    try:
        deliveries = opened(content_type, body, **headers)
        orjson.dumps(failures_answer([RejectedRecord(delivery, "no") for delivery in deliveries]))
    except GoalStreamError as error:
        refusal = problem_of(error)
    else:
        return
    assert refusal.status in (400, 415, 422)


def test_the_failure_of_a_record_that_came_alone_is_a_422() -> None:
    """The sender needs no name then, and one that reads no names has it as a dead letter."""
    (delivery,) = opened(STRUCTURED, cloud_event({"a": 1}, 7))
    with pytest.raises(RecordsRejected) as refusal:
        failures_answer([RejectedRecord(delivery, "no event")])
    problem = problem_of(refusal.value)
    assert (problem.status, problem.detail) == (422, "no event")


def test_failures_are_called_by_their_place() -> None:
    """As AWS Lambda's triggers read them; an answer without any is a success."""
    failure = RejectedRecord(ReceivedRecord(None, None, PLACE), "data: no object")
    assert failures_answer([failure]) == {
        "batchItemFailures": [
            {"itemIdentifier": PLACE, "retryable": False, "reason": "data: no object"}
        ]
    }
    assert failures_answer([]) == {"batchItemFailures": []}


def test_a_failure_without_a_place_refuses_the_request() -> None:
    """With why: the caller knows which record it sent."""
    failures = [RejectedRecord(ReceivedRecord(None, None, place), "so") for place in (PLACE, None)]
    with pytest.raises(RecordsRejected, match="so"):
        failures_answer(failures)
