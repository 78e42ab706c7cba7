"""From topic to table: records a second, beside raw inserts of the same rows into Postgres."""

import time
from collections.abc import Iterator
from uuid import uuid4, uuid5

import orjson
from confluent_kafka import Producer
from pg8000.native import Connection

from functions.consume_goal.revisions import revision_of
from functions.shared.contract.event import IdentifiedEvent
from functions.shared.contract.topics import MATCH_EVENTS
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.connection import connect
from functions.shared.postgres.highlight_sql import RECORD
from local.stack.stack import Stack
from tests.benchmarks.result import Result, at_least, interleaved
from tests.support.builders.events import FIRST_GOAL
from tests.support.builders.revisions import RULES
from tests.support.waiting import eventually

RECORDS = 20_000
SINGLES = 2_000
MATCHES = 200  # at a time, as on a busy Saturday
RAW_BATCH = 1_000
LIMIT_S = 120


def topic_to_table(stack: Stack, rounds: int) -> Iterator[Result]:
    """Through trigger and function, against raw inserts into a table of the same shape.

    Nobody enriches meanwhile: it is the way into the table that is measured.
    """
    connection = connect(stack.database_url, timeout_s=LIMIT_S)
    connection.run("CREATE TABLE IF NOT EXISTS raw (LIKE highlights INCLUDING ALL)")
    stack.processes["enrich_batch"].stop()
    try:
        ours, batched, single = interleaved(
            rounds,
            lambda: _through_the_function(stack, connection),
            lambda: _raw(connection, RECORDS, RAW_BATCH),
            lambda: _raw(connection, SINGLES, 1),
        )
    finally:
        connection.run("DROP TABLE raw")
        connection.run("TRUNCATE highlights")
        connection.close()
        stack.processes["enrich_batch"].start()
        stack.processes["enrich_batch"].wait_ready()
    yield at_least(
        "topic → table", "records/s", ours, batched, f"raw insert, {RAW_BATCH} a batch", 0.8
    )
    yield at_least("topic → table", "records/s", ours, single, "raw insert, row by row", 8)


def goals(count: int) -> list[IdentifiedEvent]:
    """Return this many goals of new matches."""
    run = uuid4()
    return [
        IdentifiedEvent.model_validate(
            {
                **FIRST_GOAL,
                "matchId": str(uuid5(run, str(number % MATCHES))),
                "eventId": str(number),
            }
        )
        for number in range(count)
    ]


def _through_the_function(stack: Stack, connection: Connection) -> float:
    connection.run("TRUNCATE highlights")
    records = [(str(event.match_id), event.to_json()) for event in goals(RECORDS)]
    producer = Producer({"bootstrap.servers": stack.kafka, "queue.buffering.max.messages": RECORDS})
    began = time.perf_counter()
    for key, value in records:
        producer.produce(MATCH_EVENTS, value, key)
    producer.flush()
    eventually(lambda: connection.run("SELECT count(*) FROM highlights")[0][0] == RECORDS, LIMIT_S)
    return RECORDS / (time.perf_counter() - began)


def _raw(connection: Connection, count: int, batch: int) -> float:
    connection.run("TRUNCATE raw")
    insert = connection.prepare(RECORD.partition("ON CONFLICT")[0].replace("highlights", "raw"))
    nothing = ReceivedRecord(None, None, None)
    rows = [revision_of(event, nothing, RULES).to_row() for event in goals(count)]
    batches = [orjson.dumps(rows[at : at + batch]).decode() for at in range(0, count, batch)]
    began = time.perf_counter()
    for made in batches:
        insert.run(rows=made)
    rate = count / (time.perf_counter() - began)
    insert.close()
    return rate
