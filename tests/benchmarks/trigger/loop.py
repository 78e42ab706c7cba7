"""A loop without guarantees: it consumes, encodes the trigger's envelope, and posts it.

It commits no offset, retries nothing, and takes partitions as they come, over one connection.
"""

import json
import sys
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from typing import Any, cast
from urllib.parse import urlsplit

from confluent_kafka import Consumer, TopicPartition

from local.kafka_trigger.envelopes.json_events import cloudevents_batch
from local.kafka_trigger.record import Record


def run(
    settings: dict[str, Any], topic: str, partitions: int, count: int, **how: Any
) -> tuple[float, float]:
    """Return records a second from the first record to the last answer, and CPU s per 10,000."""
    consumer = Consumer({**settings, "group.id": "loop", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    address = urlsplit(how["url"])
    connection = HTTPConnection(str(address.hostname), address.port)
    posted, began, cpu_s = 0, 0.0, 0.0
    while posted < count:
        messages = consumer.consume(how["batch"], timeout=0.05)
        if not messages:
            continue
        if not began:
            began, cpu_s = time.perf_counter(), time.process_time()
        payload = cloudevents_batch(cast(Sequence[Record], messages))
        connection.request("POST", "/", payload.body, {"Content-Type": str(payload.content_type)})
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"the function answered {answer.status}")
        posted += len(messages)
    rate = posted / (time.perf_counter() - began)
    cpu_s = time.process_time() - cpu_s
    consumer.close()
    return rate, cpu_s / posted * 10_000


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(**json.loads(sys.argv[1]))))
