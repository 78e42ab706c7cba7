"""The cost of sending consume-goal one record a request, as Knative's KafkaSource does."""

import time
from collections.abc import Iterator
from functools import partial

from confluent_kafka import Producer
from pg8000.native import Connection

from functions.shared.postgres.connection import connect
from local.stack.stack import Stack
from tests.benchmarks.result import Result, at_least, interleaved
from tests.benchmarks.table import LIMIT_S, goals
from tests.benchmarks.trigger import topic as topics
from tests.benchmarks.trigger.process import running
from tests.support.waiting import eventually

BATCH = 1_000  # as local/triggers.toml has it
RECORDS = {BATCH: 20_000, 1: 4_000}
BINARY = 'envelope = "cloudevents-binary"'
AIM = 5
POLL_S = 0.05


def one_a_request(stack: Stack, rounds: int) -> Iterator[Result]:
    """Topic to table in batches, against one binary CloudEvent a request; nobody enriches."""
    connection = connect(stack.database_url, timeout_s=LIMIT_S)
    stack.processes["enrich_batch"].stop()
    try:
        batches, single = interleaved(
            rounds,
            partial(_rate, stack, connection, BATCH, ""),
            partial(_rate, stack, connection, 1, BINARY),
        )
    finally:
        connection.run("TRUNCATE highlights")
        connection.close()
        stack.processes["enrich_batch"].start()
        stack.processes["enrich_batch"].wait_ready()
    what = f"topic → table, {BATCH} a batch"
    yield at_least(what, "records/s", batches, single, "one binary CloudEvent a request", AIM)


def _rate(stack: Stack, connection: Connection, batch: int, envelope: str) -> float:
    """Return records a second, from the first that is seen in the table to the last."""
    connection.run("TRUNCATE highlights")
    count = RECORDS[batch]
    topic = _filled(stack.kafka, count)
    with running(stack, topic, f"{stack.functions['consume_goal'].url}/", batch, envelope):
        eventually(lambda: _rows(connection) > 0, LIMIT_S)
        began, first = time.perf_counter(), _rows(connection)
        while (rows := _rows(connection)) < count:
            time.sleep(POLL_S)
        return (rows - first) / (time.perf_counter() - began)


def _rows(connection: Connection) -> int:
    return int(connection.run("SELECT count(*) FROM highlights")[0][0])


def _filled(kafka: str, count: int) -> str:
    topic = topics.new(kafka)
    producer = Producer({"bootstrap.servers": kafka, "queue.buffering.max.messages": count})
    for event in goals(count):
        producer.produce(topic, event.to_json(), str(event.match_id))
    producer.flush()
    return topic
