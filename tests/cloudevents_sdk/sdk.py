"""The CloudEvents SDK 2.x, as tests call it."""

import json
import os
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from local.kafka_trigger.record import Record
from tests.support.builders.deliveries import Request
from tests.support.builders.records import record

PROGRAM = Path(__file__).with_name("program.py")
INSTALLED = Path(sys.prefix) / "cloudevents-sdk"


class Event(NamedTuple):
    """What the SDK reads; data that is no text and no JSON is `{"base64": …}`."""

    attributes: dict[str, Any]
    data: Any


def read(request: Request) -> Event:
    """The event that a request has, structured or binary."""
    headers, body = request
    return Event(**_asked(do="read", headers=dict(headers), body=b64encode(body).decode()))


def structured(attributes: Mapping[str, str], data: Any) -> Request:
    """An event's request, as JSON."""
    return _request(_asked(do="structured", attributes=dict(attributes), data=data))


def binary(attributes: Mapping[str, str], data: Any) -> Request:
    """An event's request, with its attributes as headers."""
    return _request(_asked(do="binary", attributes=dict(attributes), data=data))


def kafka_record(attributes: Mapping[str, str], data: Any) -> Record:
    """An event as a producer writes it to Kafka with the SDK."""
    told = _asked(do="record", attributes=dict(attributes), data=data)
    headers = [(name, value.encode()) for name, value in told["headers"].items()]
    return record(7, b64decode(told["value"]), key=told["key"].encode(), headers=headers)


def _request(told: Mapping[str, Any]) -> Request:
    return told["headers"], b64decode(told["body"])


def _asked(**question: Any) -> dict[str, Any]:
    assert INSTALLED.exists(), "the CloudEvents SDK 2.x is not here: `make setup` installs it"
    answer = subprocess.run(
        [sys.executable, PROGRAM],
        env={**os.environ, "PYTHONPATH": str(INSTALLED)},
        input=json.dumps(question),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(answer.stdout)
    return told
