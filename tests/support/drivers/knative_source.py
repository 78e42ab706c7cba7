"""A stand-in for Knative's KafkaSource: one binary CloudEvent a request, in a partition's order.

A record that is a CloudEvent itself, by its `ce_` headers, is posted as it is; another one is given
the attributes that the documentation of KafkaSource names.
https://knative.dev/docs/eventing/sources/kafka-source/
"""

import base64
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import cast
from urllib.parse import quote

import httpx
from confluent_kafka import Consumer, Message

NAMESPACE = "goalstream"
TAKES_AT_ONCE = 20
AGAIN = 7  # of the records that it has taken at once
CLIENT = {"session.timeout.ms": 2000, "heartbeat.interval.ms": 500, "fetch.wait.max.ms": 10}
PLAIN = "".join(map(chr, range(0x20, 0x7F))).translate({ord('"'): None, ord("%"): None})


class KafkaSource:
    """Reads a topic for a function, as a member of a group, until it is stopped."""

    def __init__(
        self, servers: str, name: str, topic: str, url: str, *, wrapped: bool = False
    ) -> None:
        self.posted = 0
        self.again = 0
        self.refused: list[Message] = []
        self._name = name
        self._topic = topic
        self._url = url
        self._wrapped = wrapped
        self._stopping = threading.Event()
        self._settings = {
            "bootstrap.servers": servers, "group.id": name, "enable.auto.commit": False,
            "auto.offset.reset": "earliest", **CLIENT,
        }  # fmt: skip

    @contextmanager
    def running(self) -> Iterator["KafkaSource"]:
        """Read during the block."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            thread.join()

    def headers(self, message: Message) -> dict[str, str]:
        """Return the request's headers for a record."""
        pairs = cast(Sequence[tuple[str, bytes | None]], message.headers() or ())
        sent = {name: value or b"" for name, value in pairs}
        if "ce_id" in sent and not self._wrapped:
            made = {f"ce-{name[3:]}": text(sent[name]) for name in sent if name.startswith("ce_")}
        else:
            made = wrapped(message, sent, self._name)
        # What is passed on beside the event itself: its trace, and what its data is.
        beside = {name: text(sent[name]) for name in ("traceparent",) if name in sent}
        if "content-type" in sent and "ce_id" in sent and not self._wrapped:
            beside["content-type"] = text(sent["content-type"])
        return {**made, **beside}

    def _run(self) -> None:
        with closing(Consumer(self._settings)) as consumer, httpx.Client(trust_env=False) as client:
            consumer.subscribe([self._topic])
            while not self._stopping.is_set():
                messages = consumer.consume(TAKES_AT_ONCE, 0.05)
                for message in messages:
                    self._deliver(client, message)
                # As if it had died before it could commit: the last ones come a second time.
                for message in messages[-AGAIN:]:
                    self.again += 1
                    self._deliver(client, message)
                if messages:
                    consumer.commit(asynchronous=False)

    def _deliver(self, client: httpx.Client, message: Message) -> None:
        self.posted += 1
        while not self._stopping.is_set():
            answer = client.post(self._url, content=message.value(), headers=self.headers(message))
            if answer.is_success:
                return
            if answer.status_code < 500:
                self.refused.append(message)
                return
            self._stopping.wait(0.2)


def wrapped(message: Message, sent: Mapping[str, bytes], source: str) -> dict[str, str]:
    """Return the attributes of a record that is no CloudEvent; its headers become extensions."""
    partition, offset = message.partition(), message.offset()
    moment = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC)
    key = message.key()
    keyed = {f"ce-{name}": text(key) for name in ("key", "partitionkey") if isinstance(key, bytes)}
    extensions = {
        f"ce-{re.sub('[^a-z0-9]', '', name.lower())}": base64.b64encode(value).decode()
        for name, value in sent.items()
    }
    return {
        **extensions,
        **keyed,
        "ce-specversion": "1.0",
        "ce-type": "dev.knative.kafka.event",
        "ce-source": f"/apis/v1/namespaces/{NAMESPACE}/kafkasources/{source}#{message.topic()}",
        "ce-subject": f"partition:{partition}#{offset}",
        "ce-id": f"partition:{partition}/offset:{offset}",
        "ce-time": moment.isoformat().replace("+00:00", "Z"),
    }


def text(value: bytes) -> str:
    """Return a header's value as CloudEvents' HTTP binding encodes it."""
    return quote(value.decode(), safe=PLAIN)
