"""Topics with records for benchmarks."""

import json
from uuid import uuid4

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

PARTITIONS = 6
ROOM = 100_000  # records that the client may hold


def new(kafka: str) -> str:
    """Create an empty topic."""
    topic = f"bench-{uuid4()}"
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()
    return topic


def filled(kafka: str, count: int) -> str:
    """Create a topic with this many records of 200 bytes, spread over its partitions."""
    topic = new(kafka)
    producer = Producer({"bootstrap.servers": kafka, "queue.buffering.max.messages": ROOM})
    for number in range(count):
        value = json.dumps({"number": number, "text": "x" * 160})
        while True:
            try:
                producer.produce(topic, value, str(number), partition=number % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush()
    return topic
