"""Makes and reads one CloudEvent with the SDK 2.x: JSON from standard input to standard output.

A process of its own, since the tests' environment has functions-framework's SDK 1.12 under the
same package name. Bodies, which may be any bytes, are base64.
"""

import json
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from cloudevents.core.bindings import http, kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

Told = dict[str, Any]


def structured(attributes: Told, data: Any) -> Told:
    """Return the request that has an event as JSON."""
    return _request(http.to_structured(CloudEvent(attributes, data), JSONFormat()))


def binary(attributes: Told, data: Any) -> Told:
    """Return the request that has an event's attributes as headers."""
    return _request(http.to_binary(CloudEvent(attributes, data), JSONFormat()))


def record(attributes: Told, data: Any) -> Told:
    """Return the Kafka record that has an event's attributes as headers."""
    message = kafka.to_binary(CloudEvent(attributes, data), JSONFormat())
    headers = {name: value.decode() for name, value in message.headers.items()}
    return {"headers": headers, "key": message.key, "value": b64encode(message.value).decode()}


def read(headers: dict[str, str], body: str) -> Told:
    """Return the attributes and the data that the SDK finds in a request."""
    message = http.HTTPMessage(headers, b64decode(body))
    event = http.from_http(message, JSONFormat())
    data = event.get_data()
    data = {"base64": b64encode(data).decode()} if isinstance(data, bytes) else data
    attributes = {
        name: value if isinstance(value, str | int) else value.isoformat()
        for name, value in event.get_attributes().items()
    }
    return {"attributes": attributes, "data": data}


def _request(message: http.HTTPMessage) -> Told:
    return {"headers": message.headers, "body": b64encode(message.body).decode()}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    what: dict[str, Callable[..., Told]]
    what = {"structured": structured, "binary": binary, "record": record, "read": read}
    json.dump(what[asked.pop("do")](**asked), sys.stdout)
