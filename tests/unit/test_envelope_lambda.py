"""Records as AWS Lambda's Kafka event."""

from base64 import b64decode
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from local.kafka_trigger.envelopes.lambda_event import LambdaEvent
from local.kafka_trigger.record import Record
from tests.support.builders.records import TOPIC, record


def event(*records: Record) -> dict[str, Any]:
    """The event of these records."""
    payload = LambdaEvent("b1:9092,b2:9092")(records)
    assert (payload.content_type, payload.headers) == ("application/json", {})
    return dict(orjson.loads(payload.body))


def one(of: Record) -> dict[str, Any]:
    """A record in the event's format."""
    [[only]] = event(of)["records"].values()
    return dict(only)


def test_the_event_has_lambda_s_format() -> None:
    """The records by topic and partition, in their order, key and value as base64."""
    first = record(7, b"value", partition=3, timestamp=(1, 1545084650987), headers=[("h", b"ab")])
    second = record(9, b"", partition=3, timestamp=(2, 1545084650988))
    common = {"topic": TOPIC, "partition": 3, "key": "a2V5"}
    assert event(first, second) == {
        "eventSource": "SelfManagedKafka",
        "bootstrapServers": "b1:9092,b2:9092",
        "records": {
            f"{TOPIC}-3": [
                common
                | {
                    "offset": 7,
                    "timestamp": 1545084650987,
                    "timestampType": "CREATE_TIME",
                    "value": "dmFsdWU=",
                    "headers": [{"h": [97, 98]}],
                },
                common
                | {
                    "offset": 9,
                    "timestamp": 1545084650988,
                    "timestampType": "LOG_APPEND_TIME",
                    "value": "",
                    "headers": [],
                },
            ]
        },
    }


def test_null_keys_and_values_are_left_out() -> None:
    """The value of a tombstone, for example."""
    assert "key" not in one(record(key=None))
    assert "value" not in one(record(value=None))


def test_headers_are_signed_bytes_in_their_order() -> None:
    """A name may occur twice; a byte above 127 is negative, and a null is empty."""
    headers = [("a", "é".encode()), ("b", None), ("a", b"")]
    assert one(record(headers=headers))["headers"] == [{"a": [-61, -87]}, {"b": []}, {"a": []}]


def test_a_record_without_a_timestamp_has_the_type_of_none() -> None:
    """As in Kafka's own clients."""
    untimed = one(record(timestamp=(0, 0)))
    assert (untimed["timestamp"], untimed["timestampType"]) == (-1, "NO_TIMESTAMP_TYPE")


@given(st.lists(st.none() | st.binary(), min_size=1))
def test_any_values_arrive_unchanged(values: list[bytes | None]) -> None:
    """In their order."""
    [encoded] = event(*(record(n, value) for n, value in enumerate(values)))["records"].values()
    assert [b64decode(each["value"]) if "value" in each else None for each in encoded] == values
