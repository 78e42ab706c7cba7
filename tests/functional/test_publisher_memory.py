"""Records that wait for a broker take a bounded amount of memory."""

import asyncio

from functions.shared.contract.topics import MATCH_EVENTS
from functions.shared.errors import NotAcknowledged
from functions.shared.kafka.client import QUEUE_KIB
from functions.shared.kafka.publisher import Publisher, Record
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.settings.load import load
from tests.support.builders.costs import KIB


def test_records_that_no_memory_is_left_for_are_refused_before_their_deadline() -> None:
    """While the broker is unavailable; the other records wait."""
    settings = load(
        KafkaSettings, {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "PUBLISH_DEADLINE_S": "0.5"}
    )
    record = Record(MATCH_EVENTS, "key", b"x" * 800 * KIB, {})

    async def published() -> tuple[int, list[BaseException | None]]:
        publisher = Publisher(settings, topic=MATCH_EVENTS)
        deliveries = [publisher.publish([record]) for _ in range(100)]
        await asyncio.wait(deliveries, return_when=asyncio.FIRST_COMPLETED)
        refused = sum(each.done() for each in deliveries)
        return refused, await asyncio.gather(*deliveries, return_exceptions=True)

    refused, ends = asyncio.run(published())
    assert 100 - refused == QUEUE_KIB // 800
    assert {type(end) for end in ends} == {NotAcknowledged}
