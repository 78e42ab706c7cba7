"""Knative in place of the trigger and of cron: one binary CloudEvent a request."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from confluent_kafka import Producer

from functions.shared.contract.topics import HIGHLIGHTS_PENDING, MATCH_EVENTS
from local.stack.stack import Stack
from tests.support.drivers.knative_source import KafkaSource
from tests.support.drivers.table import Table
from tests.support.tournament import GOALS_OF_2022, replay_2022


@contextmanager
def sources(stack: Stack, *, wrapped: bool = False) -> Iterator[list[KafkaSource]]:
    """Run the two KafkaSources, with the trigger and cron stopped."""
    for name in ("trigger", "cron"):
        stack.processes[name].stop()
    made = [
        KafkaSource(
            stack.kafka, name.replace("_", "-"), topic, f"{stack.functions[name].url}/",
            wrapped=wrapped,
        )
        for name, topic in (("consume_goal", MATCH_EVENTS), ("enrich_batch", HIGHLIGHTS_PENDING))
    ]  # fmt: skip
    with ExitStack() as exits:
        yield [exits.enter_context(source.running()) for source in made]


def test_the_events_of_kafka_source_make_172_ready_highlights(stack: Stack, table: Table) -> None:
    """All matches of 2022, as the CloudEvents on the topic, many of them twice."""
    with sources(stack) as (goals, announcements):
        report = replay_2022(stack, wait_s=90)
    assert (report.ready, report.missing, report.unexpected) == (GOALS_OF_2022, {}, set())
    assert table.statuses() == {"READY": GOALS_OF_2022}
    assert goals.posted - goals.again >= GOALS_OF_2022
    assert min(goals.again, announcements.again) > 0
    assert goals.refused + announcements.refused == []


def test_a_record_that_is_no_event_is_rejected_and_the_others_are_accepted(
    stack: Stack, table: Table
) -> None:
    """By a 4xx, which Knative does not retry but sends to its dead-letter sink.

    Also all matches, as plain records that Knative wraps in events.
    """
    no_events = {b"no event", b'{"matchId": 1}', None}
    with sources(stack, wrapped=True) as (goals, announcements):
        producer = Producer({"bootstrap.servers": stack.kafka})
        for value in no_events:
            producer.produce(MATCH_EVENTS, value, "key")
        producer.flush(10)
        report = replay_2022(stack, wait_s=90)
    assert (report.ready, report.missing, report.unexpected) == (GOALS_OF_2022, {}, set())
    assert table.statuses() == {"READY": GOALS_OF_2022}
    assert {message.value() for message in goals.refused} == no_events
    assert announcements.refused == []
