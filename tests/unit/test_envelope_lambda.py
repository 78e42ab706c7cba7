"""Records in AWS Lambda's Kafka event."""

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
    """A record as the event has it."""
    [[only]] = event(of)["records"].values()
    return dict(only)


def test_the_event_is_what_lambda_sends() -> None:
    """Its records under topic and partition, in their order, key and value as base64."""
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


def test_what_is_null_is_left_out() -> None:
    """A record without a key, and a tombstone."""
    assert "key" not in one(record(key=None))
    assert "value" not in one(record(value=None))


def test_headers_are_bytes_of_java_s_in_their_order() -> None:
    """A name may come twice; a byte above 127 is negative, and a null is empty."""
    headers = [("a", "é".encode()), ("b", None), ("a", b"")]
    assert one(record(headers=headers))["headers"] == [{"a": [-61, -87]}, {"b": []}, {"a": []}]


def test_a_record_without_a_time_says_so() -> None:
    """As Kafka's own clients do."""
    told = one(record(timestamp=(0, 0)))
    assert (told["timestamp"], told["timestampType"]) == (-1, "NO_TIMESTAMP_TYPE")


@given(st.lists(st.none() | st.binary(), min_size=1))
def test_any_values_come_through_whole(values: list[bytes | None]) -> None:
    """In their order."""
    [told] = event(*(record(n, value) for n, value in enumerate(values)))["records"].values()
    assert [b64decode(each["value"]) if "value" in each else None for each in told] == values
