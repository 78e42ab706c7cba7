"""A stand-in for the event source mapping between Kafka and a function on Lambda.

It retries as Lambda does with ReportBatchItemFailures and an on-failure destination.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any, cast

import orjson
from confluent_kafka import Consumer, KafkaException, TopicPartition

from local.kafka_trigger.envelopes.lambda_event import LambdaEvent
from local.kafka_trigger.kafka.settings import NO_LEADER
from local.kafka_trigger.record import Record
from tests.support.drivers.broker import QUIET
from tests.support.drivers.lambda_runtime import FunctionError
from tests.support.waiting import LIMIT_S, eventually

Place = tuple[int, int]  # a partition and an offset
POLL_S = 0.05


class EventSource:
    """Delivers the records of a topic to a function, those of several partitions in one event.

    It begins at the end of the topic, where other tests may write too. An event whose function
    raises is delivered again completely. With partial failures, each partition continues at its
    first failed record; after `attempts` failures a record is appended to `given_up`. Each event
    that `is_doubled` is delivered twice, as when the first answer is lost.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        topic: str,
        partitions: int,
        invoke: Callable[[Any], Any],
        *,
        batch: int = 20,
        attempts: int = 3,
        is_doubled: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self.events = 0
        self.errors: list[str] = []
        self.partly_failed = 0
        self.given_up: list[Place] = []
        self._encode = LambdaEvent(bootstrap_servers)
        self._invoke = invoke
        self._batch = batch
        self._attempts = attempts
        self._is_doubled = is_doubled
        self._waiting: dict[int, deque[Record]] = {each: deque() for each in range(partitions)}
        self._failed: Counter[Place] = Counter()
        settings = {"bootstrap.servers": bootstrap_servers, "group.id": f"lambda-{topic}", **QUIET}
        self._consumer = Consumer({**settings, "enable.auto.commit": False})
        topic_partitions = [TopicPartition(topic, each) for each in range(partitions)]
        for topic_partition in topic_partitions:
            topic_partition.offset = self._end(topic_partition)
        self._consumer.assign(topic_partitions)

    def _end(self, topic_partition: TopicPartition) -> int:
        """Return the end offset of a partition, once it has a leader."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                return self._consumer.get_watermark_offsets(topic_partition, timeout=LIMIT_S)[1]
            except KafkaException as error:
                if error.args[0].code() not in NO_LEADER or time.monotonic() > deadline:
                    raise

    def run(self) -> bool:
        """Deliver one event if there are records; return whether there were."""
        for message in self._consumer.consume(self._batch, POLL_S):
            assert message.error() is None
            record = cast(Record, message)
            self._waiting[record.partition()].append(record)
        batches = {each: list(self._next(each)) for each in self._waiting}
        if not any(batches.values()):
            return False
        payloads = [orjson.loads(self._encode(batch).body) for batch in batches.values() if batch]
        event = {**payloads[0], "records": {}}
        for payload in payloads:
            event["records"] |= payload["records"]
        self._deliver(event)
        return True

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()

    def _next(self, partition: int) -> Iterator[Record]:
        waiting = self._waiting[partition]
        yield from (waiting[at] for at in range(min(self._batch, len(waiting))))

    def _deliver(self, event: dict[str, Any]) -> None:
        self.events += 1
        try:
            if self._is_doubled(self.events):
                self._invoke(event)
            result = self._invoke(event)
        except FunctionError as error:
            self.errors.append(error.args[1])
            return
        failures = [failure["itemIdentifier"] for failure in result["batchItemFailures"]]
        self.partly_failed += bool(failures)
        for name, records in event["records"].items():
            failed = [failure["offset"] for failure in failures if failure["partition"] == name]
            self._advance(records[0]["partition"], records[-1]["offset"], failed)

    def _advance(self, partition: int, last: int, failed: list[int]) -> None:
        until = min(failed, default=last + 1)
        waiting = self._waiting[partition]
        while waiting and waiting[0].offset() < until:
            waiting.popleft()
        if failed:
            self._failed[partition, until] += 1
            if self._failed[partition, until] == self._attempts:
                self.given_up.append((partition, waiting.popleft().offset()))


def deliver_until(condition: Callable[[], bool], *sources: EventSource) -> None:
    """Run the sources until the condition holds; fail the test if it does not within the limit."""

    def holds() -> bool:
        for source in sources:
            source.run()
        return condition()

    eventually(holds)
