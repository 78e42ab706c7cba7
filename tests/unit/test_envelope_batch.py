"""Records as a CloudEvents batch."""

import base64
from typing import Any

import orjson
import pytest
from cloudevents.http import from_dict
from hypothesis import given
from hypothesis import strategies as st

from local.kafka_trigger.envelopes.json_events import BATCH, cloudevents_batch
from local.kafka_trigger.record import Record
from tests.support.builders.records import TOPIC, record

CARRIED = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"event-1"),
    ("ce_source", b"/ingest"),
    ("ce_type", b"goal"),
    ("ce_time", b"2022-12-18T15:36:00Z"),
    ("ce_subject", "Ángel".encode()),
    ("ce_tenant", b"a"),
]


def event(of: Record) -> dict[str, Any]:
    """The event of one record."""
    payload = cloudevents_batch([of])
    assert payload.content_type == BATCH
    [one] = orjson.loads(payload.body)
    return dict(one)


def test_a_record_without_attributes_is_given_them() -> None:
    """Its id is its offset; it has its topic as source, its key and its timestamp."""
    assert event(record(7, b'{"a":1}', partition=3, timestamp=(1, 1_700_000_000_123))) == {
        "specversion": "1.0",
        "id": "partition:3/offset:7",
        "source": f"kafka:///{TOPIC}",
        "type": "kafka.record",
        "subject": "partition:3/offset:7",
        "time": "2023-11-14T22:13:20.123000Z",
        "partitionkey": "key",
        "kafkatopic": TOPIC,
        "kafkapartition": 3,
        "kafkaoffset": "7",
        "datacontenttype": "application/json",
        "data": {"a": 1},
    }


def test_a_record_with_attributes_keeps_them() -> None:
    """All `ce_` headers are attributes of the event, extensions too; its offset is added."""
    taken = event(record(7, headers=CARRIED, timestamp=(1, 1_700_000_000_123)))
    assert taken.items() >= {name[3:]: value.decode() for name, value in CARRIED}.items()
    assert (taken["kafkatopic"], taken["kafkapartition"], taken["kafkaoffset"]) == (TOPIC, 0, "7")


def test_missing_attributes_are_added() -> None:
    """A record that has only some attributes is a valid event all the same."""
    taken = event(record(headers=[("ce_type", b"goal")]))
    assert (taken["type"], taken["id"]) == ("goal", "partition:0/offset:0")
    taken = event(record(headers=[("ce_id", b"1")]))
    assert (taken["id"], taken["source"], taken["specversion"]) == ("1", "kafka:///matches", "1.0")
    assert "subject" not in taken


@pytest.mark.parametrize(
    "header",
    [
        ("ce_data", b"x"),
        ("ce_data_base64", b"x"),
        ("ce_kafkaoffset", b"8"),
        ("ce_Upper", b"x"),
        ("ce_", b"x"),
        ("other", b"x"),
        ("ce_empty", b""),
        ("ce_null", None),
        ("ce_binary", b"\xff"),
    ],
)
def test_headers_that_are_no_attributes_are_left_out(header: tuple[str, bytes | None]) -> None:
    """A header with another name, an empty value or no text does not affect the others."""
    with_header = event(record(7, None, headers=[*CARRIED, header]))
    assert with_header == event(record(7, None, headers=CARRIED))


def test_the_trace_context_is_forwarded() -> None:
    """The headers of W3C trace context become the attributes of the same names."""
    taken = event(record(headers=[("traceparent", b"00-1-2-01"), ("tracestate", b"a=b")]))
    assert (taken["traceparent"], taken["tracestate"]) == ("00-1-2-01", "a=b")


@pytest.mark.parametrize(
    "value", [b'{"a": [1, 2.50, null]}', b"null", b"12", b'"x"', b" [1]\n", '"Ángel"'.encode()]
)
def test_json_is_embedded_as_it_is(value: bytes) -> None:
    """A value that is JSON is the event's data, byte for byte."""
    assert b'"data":' + value + b"}" in cloudevents_batch([record(0, value)]).body


@pytest.mark.parametrize(
    "value", [b"", b"text", b"{", b"\x00\xff", b"{} {}", b"NaN", b'{"a":1},{"b":2}', b"'x'"]
)
def test_any_other_value_is_embedded_as_base64(value: bytes) -> None:
    """It arrives unchanged, and does not break the batch."""
    taken = event(record(0, value))
    assert base64.b64decode(taken["data_base64"]) == value
    assert "data" not in taken
    assert "datacontenttype" not in taken


@pytest.mark.parametrize(
    ("content_type", "member"),
    [
        (b"application/json", "data"),
        (b"application/vnd.goal+json; charset=utf-8", "data"),
        (b"text/plain", "data_base64"),
        (b"application/avro", "data_base64"),
    ],
)
def test_the_declared_content_type_counts(content_type: bytes, member: str) -> None:
    """A value is embedded as JSON only if its record declares no other type."""
    taken = event(record(0, b"12", headers=[("Content-Type", content_type)]))
    assert taken["datacontenttype"] == content_type.decode()
    assert member in taken


def test_a_tombstone_has_no_data() -> None:
    """A null value makes an event without data."""
    assert not event(record(0, None)).keys() & {"data", "data_base64", "datacontenttype"}


@pytest.mark.parametrize("key", [None, b"", b"\xff"])
def test_a_key_that_is_not_text_is_left_out(key: bytes | None) -> None:
    """`partitionkey` is text, or missing."""
    assert "partitionkey" not in event(record(key=key))


@pytest.mark.parametrize("milliseconds", [2**62, -(2**62), 253_402_300_800_000])
def test_a_timestamp_beyond_the_calendar_is_left_out(milliseconds: int) -> None:
    """A producer may write any number as a record's timestamp."""
    assert "time" not in event(record(timestamp=(1, milliseconds)))


@given(
    st.lists(
        st.builds(
            record,
            st.integers(0, 2**63 - 1),
            st.none() | st.binary() | st.sampled_from([b"{}", b"1", b'{"a":"\\ud800"}']),
            key=st.none() | st.binary(),
            timestamp=st.tuples(st.integers(0, 2), st.integers(-(2**63), 2**63 - 1)),
            headers=st.lists(
                st.tuples(
                    st.text(max_size=3) | st.sampled_from([name for name, _ in CARRIED]),
                    st.none() | st.binary() | st.text().map(str.encode),
                )
            ),
        ),
        min_size=1,
    )
)
def test_any_records_make_valid_events_in_their_order(batch: list[Record]) -> None:
    """Whatever producers write, the batch is JSON, and each item a CloudEvent."""
    items = orjson.loads(cloudevents_batch(batch).body)
    assert [item["kafkaoffset"] for item in items] == [str(each.offset()) for each in batch]
    for item, each in zip(items, batch, strict=True):
        item["specversion"] = "1.0"
        item.pop("time", None)
        from_dict(item)
        value = each.value()
        if "data_base64" in item:
            assert base64.b64decode(item["data_base64"]) == value
        elif value is not None:
            assert item["data"] == orjson.loads(value)
