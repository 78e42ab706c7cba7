"""One record as a structured or a binary CloudEvent."""

import base64
from typing import Any
from urllib.parse import unquote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.kafka_trigger.envelopes.binary import cloudevents_binary
from local.kafka_trigger.envelopes.json_events import cloudevents_batch, cloudevents_structured
from local.kafka_trigger.envelopes.payload import PRINTABLE
from local.kafka_trigger.record import Record
from tests.support.builders.records import TOPIC, record

TRACE = ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
AT_NOON = (1, 1_671_364_800_000)


def structured(of: Record) -> dict[str, Any]:
    """The structured event of a record."""
    payload = cloudevents_structured([of])
    assert payload.content_type == "application/cloudevents+json"
    return dict(orjson.loads(payload.body))


@pytest.mark.parametrize("value", [b'{"a":1}', b"text", None])
def test_a_structured_event_equals_that_of_a_batch(value: bytes | None) -> None:
    """The same attributes and data, without the array."""
    one = record(7, value, headers=[("ce_type", b"goal"), TRACE], timestamp=AT_NOON)
    assert [structured(one)] == orjson.loads(cloudevents_batch([one]).body)


def test_a_binary_event_has_its_attributes_as_headers_and_the_value_as_its_body() -> None:
    """Byte for byte; a time is in the format of RFC 3339."""
    payload = cloudevents_binary([record(7, b' {"a": 1}\n', partition=3, timestamp=AT_NOON)])
    assert (payload.content_type, payload.body) == ("application/json", b' {"a": 1}\n')
    assert payload.headers == {
        "ce-specversion": "1.0",
        "ce-id": "partition:3/offset:7",
        "ce-source": f"kafka:///{TOPIC}",
        "ce-type": "kafka.record",
        "ce-subject": "partition:3/offset:7",
        "ce-time": "2022-12-18T12:00:00Z",
        "ce-partitionkey": "key",
        "ce-kafkatopic": TOPIC,
        "ce-kafkapartition": "3",
        "ce-kafkaoffset": "7",
    }


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("Ángel Di María", "%C3%81ngel%20Di%20Mar%C3%ADa"),
        ('a"b%c', "a%22b%25c"),
        ("a\r\nb", "a%0D%0Ab"),
        ("/a?b=c&d#e~", "/a?b=c&d#e~"),
    ],
)
def test_an_attribute_is_percent_encoded_in_a_header(text: str, header: str) -> None:
    """As CloudEvents' HTTP binding requires."""
    one = record(headers=[("ce_subject", text.encode())])
    assert cloudevents_binary([one]).headers["ce-subject"] == header


@pytest.mark.parametrize(
    ("value", "declared", "content_type"),
    [
        (b"{}", None, "application/json"),
        (b"text", None, None),
        (None, None, None),
        (b"{}", b"application/vnd.goal+json", "application/vnd.goal+json"),
        (b"\x00", b"application/avro", "application/avro"),
        (b"{}", b"a\r\nX: y", None),
    ],
)
def test_a_binary_event_has_the_content_type_of_its_data(
    value: bytes | None, declared: bytes | None, content_type: str | None
) -> None:
    """The type that the record declares, or JSON; a line break never gets into a header."""
    headers = [("content-type", declared)] if declared else []
    payload = cloudevents_binary([record(0, value, headers=headers)])
    assert (payload.content_type, payload.body) == (content_type, value or b"")
    assert not any(name.lower().startswith("ce-data") for name in payload.headers)


@pytest.mark.parametrize("encode", [cloudevents_structured, cloudevents_binary])
def test_the_trace_context_is_forwarded_as_headers(encode: Any) -> None:
    """Of W3C trace context, unless they would break the request's headers."""
    headers = [TRACE, ("tracestate", b"a=b\r\nX: y")]
    sent = encode([record(headers=headers)]).headers
    assert sent["traceparent"] == TRACE[1].decode()
    assert "tracestate" not in sent


@given(
    st.builds(
        record,
        st.integers(0, 2**63 - 1),
        st.none() | st.binary(),
        key=st.none() | st.binary() | st.text().map(str.encode),
        timestamp=st.tuples(st.integers(0, 2), st.integers(-(2**63), 2**63 - 1)),
        headers=st.lists(
            st.tuples(
                st.sampled_from(["ce_id", "ce_subject", "content-type", "traceparent", "ce_x"]),
                st.none() | st.binary() | st.text().map(str.encode),
            )
        ),
    )
)
def test_any_record_makes_a_binary_event_that_http_can_carry(one: Record) -> None:
    """Its headers are printable ASCII, and have the attributes of the structured event."""
    payload = cloudevents_binary([one])
    texts = [*payload.headers.values(), payload.content_type or "none"]
    assert all(PRINTABLE.fullmatch(text) for text in texts)
    event = structured(one)
    for name in event.keys() - {"data", "data_base64", "datacontenttype", "time"}:
        assert unquote(payload.headers[f"ce-{name}"]) == str(event[name])
    if "data_base64" in event:
        assert payload.body == base64.b64decode(event["data_base64"])
