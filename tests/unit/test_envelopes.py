"""The envelopes of records: CloudEvents in batched, structured and binary mode, AWS Lambda's."""

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
from functions.shared.inbound.envelopes import batch_response, parse_envelope
from functions.shared.inbound.received_record import ReceivedRecord, RejectedRecord
from tests.support.builders.events import event_json
from tests.support.builders.revisions import cloud_event

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
IDENTIFIER = {"partition": "match-events-0", "offset": 7}


def parsed(content_type: str, body: Any, **headers: str) -> list[ReceivedRecord]:
    """Return the records of a request with this body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return parse_envelope(Headers({"content-type": content_type, **named}), raw)


def refusal_status(content_type: str, body: Any, **headers: str) -> int:
    """Return the status with which a request is refused."""
    with pytest.raises(GoalStreamError) as refusal:
        parsed(content_type, body, **headers)
    return problem_of(refusal.value).status


@pytest.mark.parametrize(
    "content_type", [BATCH, f"{BATCH}; charset=utf-8", BATCH.upper(), f" {BATCH} ;x=y"]
)
def test_a_batch_has_records_in_order(content_type: str) -> None:
    """Each with its data, its trace and its identifier."""
    events = [cloud_event(event_json(), 7, traceparent=TRACE), cloud_event({"a": 1}, 8)]
    first, second = parsed(content_type, events)
    assert first == ReceivedRecord(event_json(), TRACE, IDENTIFIER)
    assert second == ReceivedRecord({"a": 1}, None, {**IDENTIFIER, "offset": 8})


def test_a_batch_may_be_empty() -> None:
    """It has no records."""
    assert parsed(BATCH, []) == []


@pytest.mark.parametrize("attributes", [{}, {"traceparent": TRACE}])
def test_a_structured_event_is_one_record(attributes: dict[str, str]) -> None:
    """Without an identifier; its trace is its own, or that of the request."""
    event = cloud_event({"a": 1}, 7, **attributes)
    headers = {} if attributes else {"traceparent": TRACE}
    assert parsed(STRUCTURED, event, **headers) == [ReceivedRecord({"a": 1}, TRACE, None)]


def test_a_binary_event_is_one_record() -> None:
    """Its attributes are headers, and its data is the body."""
    attributes = {
        "ce-id": "1", "ce-specversion": "1.0", "ce-type": "t", "ce-source": "/",
        "ce-kafkatopic": "match-events", "ce-kafkapartition": "0", "ce-kafkaoffset": "7",
        "ce-traceparent": TRACE,
    }  # fmt: skip
    assert parsed("application/json", {"a": 1}, **attributes) == [
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
def test_a_request_of_knative_s_kafka_source_is_a_record(content_type: str) -> None:
    """Whatever type it gives the value; the trace is that of the request."""
    assert parsed(content_type, {"a": 1}, **KNATIVE) == [ReceivedRecord({"a": 1}, TRACE, None)]


def test_a_binary_event_that_is_no_json_has_no_data() -> None:
    """Nor has one with an empty body, as of a tombstone."""
    for body in (b"{", b"", b"\xff"):
        assert parsed("application/json", body, **KNATIVE)[0].data is None


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
def test_a_lambda_event_has_the_records_of_several_partitions(source: str) -> None:
    """Each with its identifier and trace; a tombstone and invalid JSON have no data."""
    signed = [byte - 256 if byte > 127 else byte for byte in "é".encode()]
    headers = [{"other": signed}, {"traceparent": list(TRACE.encode())}]
    event = lambda_event(
        source,
        a_0=[lambda_record(7, headers=headers), lambda_record(8, None)],
        a_1=[lambda_record(1, b"{", partition=1)],
    )
    assert parsed("application/json; charset=utf-8", event) == [
        ReceivedRecord({"a": 1}, TRACE, IDENTIFIER),
        ReceivedRecord(None, None, {**IDENTIFIER, "offset": 8}, "the record has no value"),
        ReceivedRecord(
            None,
            None,
            {"partition": "match-events-1", "offset": 1},
            "the value is no JSON: unexpected end of data at line 1 column 2",
        ),
    ]


@pytest.mark.parametrize("record", [None, 1, [], lambda_record("x"), {}])
def test_an_invalid_lambda_record_has_no_identifier(record: object) -> None:
    """The records beside it are not affected."""
    first, second = parsed("application/json", lambda_event(a_0=[record, lambda_record(7)]))
    assert first.identifier is None
    assert second == ReceivedRecord({"a": 1}, None, IDENTIFIER)


@pytest.mark.parametrize(
    "headers",
    [None, {}, [1], [{"traceparent": "x"}], [{"traceparent": [""]}], [{"traceparent": [-1, 300]}]],
)
def test_invalid_lambda_headers_have_no_trace(headers: object) -> None:
    """The record is accepted all the same."""
    event = lambda_event(a_0=[lambda_record(7, headers=headers)])
    assert parsed("application/json", event) == [ReceivedRecord({"a": 1}, None, IDENTIFIER)]


@pytest.mark.parametrize(
    "body", [{}, {"eventSource": "aws:sqs", "records": {}}, {"eventSource": "aws:kafka"}, []]
)
def test_other_json_is_no_envelope(body: object) -> None:
    """Neither another event of AWS, nor one without records."""
    assert refusal_status("application/json", body) == 415


def test_data_may_be_in_base64() -> None:
    """It is decoded as JSON."""
    event = cloud_event(None, 7)
    del event["data"]
    event["data_base64"] = base64.b64encode(json.dumps({"player": "三笘薫"}).encode()).decode()
    (record,) = parsed(BATCH, [event])
    assert record == ReceivedRecord({"player": "三笘薫"}, None, IDENTIFIER)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe", b"not json", b'"\xed\xa0\x80"', b"[" * 5000]
)
def test_invalid_json_is_no_data(data: bytes) -> None:
    """The record keeps its identifier, so that it can be rejected by it."""
    event = cloud_event(None, 7)
    del event["data"]
    event["data_base64"] = base64.b64encode(data).decode()
    (record,) = parsed(BATCH, [event])
    assert (record.data, record.identifier) == (None, IDENTIFIER)
    assert record.decode_error


@pytest.mark.parametrize("data_base64", [None, 1, "", "!", "é", "YQ", [], {}, "YQ==\n"])
def test_invalid_base64_is_no_data(data_base64: object) -> None:
    """The records beside it are not affected."""
    event = cloud_event(None, 7, data_base64=data_base64)
    del event["data"]
    assert parsed(BATCH, [event, cloud_event(1, 8)])[1].data == 1


def test_a_record_without_a_value_has_no_data() -> None:
    """It is a tombstone of Kafka."""
    event = cloud_event(None, 7)
    del event["data"]
    assert parsed(BATCH, [event]) == [
        ReceivedRecord(None, None, IDENTIFIER, "the record has no value")
    ]


@pytest.mark.parametrize("item", [None, 1, "text", [], True])
def test_an_item_that_is_no_event_is_a_record_without_data(item: object) -> None:
    """The records beside it are not affected."""
    first, second = parsed(BATCH, [item, cloud_event(1, 7)])
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
def test_an_invalid_identifier_is_not_guessed(wrong: dict[str, Any]) -> None:
    """A wrong identifier would reject another record."""
    (record,) = parsed(BATCH, [cloud_event(1, 7) | wrong])
    assert record.identifier is None


@pytest.mark.parametrize("name", ["kafkatopic", "kafkapartition", "kafkaoffset"])
def test_an_identifier_needs_topic_partition_and_offset(name: str) -> None:
    """Without one of them there is none."""
    event = cloud_event(1, 7)
    del event[name]
    assert parsed(BATCH, [event])[0].identifier is None


@pytest.mark.parametrize("traceparent", [None, 1, [], {}])
def test_a_trace_that_is_not_text_is_ignored(traceparent: object) -> None:
    """The record is accepted all the same."""
    assert parsed(BATCH, [cloud_event(1, 7, traceparent=traceparent)]) == [
        ReceivedRecord(1, None, IDENTIFIER)
    ]


@pytest.mark.parametrize("traceparent", ["", "x", "\0", "00-" + "0" * 52])
def test_an_invalid_traceparent_is_ignored(traceparent: str) -> None:
    """The one that is stored and published is valid, and Postgres can store it."""
    assert parsed(BATCH, [cloud_event(1, 7, traceparent=traceparent)]) == [
        ReceivedRecord(1, None, IDENTIFIER)
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1,", b"nul", b"[" * 10_000, b"[1e999]"])
@pytest.mark.parametrize("content_type", [BATCH, STRUCTURED])
def test_an_envelope_that_is_no_json_is_a_400(content_type: str, body: bytes) -> None:
    """In any envelope."""
    assert refusal_status(content_type, body) == 400


@pytest.mark.parametrize(
    ("content_type", "body"),
    [(BATCH, {}), (BATCH, "x"), (BATCH, None), (STRUCTURED, []), (STRUCTURED, 1)],
)
def test_an_envelope_of_another_kind_is_a_400(content_type: str, body: object) -> None:
    """A batch is an array, an event an object."""
    assert refusal_status(content_type, body) == 400


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "text/plain", "x", ";", BATCH[:-1]]
)
def test_another_content_type_is_a_415(content_type: str) -> None:
    """It says which ones are accepted."""
    assert refusal_status(content_type, []) == 415


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
def test_any_request_is_parsed_or_refused(
    content_type: str, body: bytes, headers: dict[str, str]
) -> None:
    """Nothing else is raised, and there is a response to every rejection of a record."""
    try:
        records = parsed(content_type, body, **headers)
        orjson.dumps(batch_response([RejectedRecord(record, "no") for record in records]))
    except GoalStreamError as error:
        refusal = problem_of(error)
    else:
        return
    assert refusal.status in (400, 415, 422)


def test_the_rejection_of_a_single_record_is_a_422() -> None:
    """A sender that does not read batch responses makes a dead letter of it."""
    (record,) = parsed(STRUCTURED, cloud_event({"a": 1}, 7))
    with pytest.raises(RecordsRejected) as refusal:
        batch_response([RejectedRecord(record, "no event")])
    problem = problem_of(refusal.value)
    assert (problem.status, problem.detail) == (422, "no event")


def test_rejected_records_are_listed_by_their_identifier() -> None:
    """As AWS Lambda's triggers read them; a response without any is a success."""
    failure = RejectedRecord(ReceivedRecord(None, None, IDENTIFIER), "data: no object")
    assert batch_response([failure]) == {
        "batchItemFailures": [
            {"itemIdentifier": IDENTIFIER, "retryable": False, "reason": "data: no object"}
        ]
    }
    assert batch_response([]) == {"batchItemFailures": []}


def test_a_rejected_record_without_an_identifier_is_a_422() -> None:
    """With the reason: the sender knows which record it sent."""
    rejected = [
        RejectedRecord(ReceivedRecord(None, None, identifier), "so")
        for identifier in (IDENTIFIER, None)
    ]
    with pytest.raises(RecordsRejected, match="so"):
        batch_response(rejected)
