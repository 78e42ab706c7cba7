"""Dead letters as AWS Lambda writes them to a topic.

Source: https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure-destination.html
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from tests.support.builders.records import TOPIC

CLUSTER = "arn:aws:kafka:eu-central-1:123456789012:cluster/goals/0a1b2c3d-1"
BROKERS = "b-1.goals.kafka.eu-central-1.amazonaws.com:9098"
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:goalstream-consume-goal:$LATEST"


def payload_record(
    offset: int,
    *,
    topic: str = TOPIC,
    partition: int = 0,
    key: bytes | None = b"key",
    value: bytes | None = b"{}",
    headers: Sequence[tuple[str, bytes]] = (),
) -> dict[str, Any]:
    """A record as a payload has it: Lambda sends headers as signed Java bytes."""
    document: dict[str, Any] = {
        "headers": [
            {name: [byte - 256 if byte > 127 else byte for byte in content]}
            for name, content in headers
        ],
        "offset": offset,
        "partition": partition,
        "timestamp": 1671377760001,
        "timestampType": "CREATE_TIME",
        "topic": topic,
    }
    for name, content in (("key", key), ("value", value)):
        if content is not None:
            document[name] = b64encode(content).decode()
    return document


def lambda_dead_letter(*records: dict[str, Any]) -> bytes:
    """The value of the dead letter of one record, or of several that failed in one batch."""
    payload = {
        "bootstrapServers": BROKERS,
        "eventSource": "aws:kafka",
        "eventSourceArn": CLUSTER,
        "records": {f"{records[0]['topic']}-{records[0]['partition']}": records},
    }
    return json.dumps(
        {
            "requestContext": {
                "requestId": "e4b46cbf-b738-4cf1-8880-a18cdf61200e",
                "functionArn": FUNCTION,
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "version": "1.0",
            "timestamp": "2026-11-14T18:16:05.568Z",
            "KafkaBatchInfo": {
                "batchSize": len(records),
                "eventSourceArn": CLUSTER,
                "bootstrapServers": BROKERS,
                "payloadSize": len(json.dumps(payload)),
                "recordInfo": {
                    "offset": str(records[0]["offset"]),
                    "timestamp": "2022-12-18T15:36:00.001Z",
                },
            },
            "payload": payload,
        }
    ).encode()


def without_payload(dead_letter: bytes, **batch_info: Any) -> bytes:
    """The value of a dead letter without payload: only the offsets, in `KafkaBatchInfo`."""
    document = json.loads(dead_letter)
    del document["payload"], document["KafkaBatchInfo"]["recordInfo"]
    document["KafkaBatchInfo"] |= batch_info
    return json.dumps(document).encode()
