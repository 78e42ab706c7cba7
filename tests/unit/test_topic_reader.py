"""Requests of a topic reader that are repeated while the cluster is not ready."""

import threading
from typing import cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from local.kafka_trigger.commands.errors import Interrupted
from local.kafka_trigger.commands.topic_reader import TopicReader


class FakeConsumer:
    """Answers with these errors first."""

    def __init__(self, *errors: int) -> None:
        self.errors = list(errors)

    def committed(self, wanted: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        """Return the committed offsets, after the errors."""
        self._fail(timeout)
        return [TopicPartition(each.topic, each.partition, 7) for each in wanted]

    def offsets_for_times(
        self, times: list[TopicPartition], timeout: float
    ) -> list[TopicPartition]:
        """Return where the records of a time begin, after the errors."""
        self._fail(timeout)
        return [TopicPartition(each.topic, each.partition, 5) for each in times]

    def _fail(self, timeout: float) -> None:
        assert timeout > 0
        if self.errors:
            raise KafkaException(KafkaError(self.errors.pop(0)))


def reader_of(*errors: int, stopping: threading.Event | None = None) -> TopicReader:
    """A reader of a broker that answers with these errors first."""
    client = cast(Consumer, FakeConsumer(*errors))
    return TopicReader(client, "topic", stopping or threading.Event())


def test_a_request_is_repeated_until_the_group_has_a_coordinator() -> None:
    """A fresh cluster creates the topic of groups at the first request."""
    reader = reader_of(KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE)
    assert reader.committed([0, 1]) == {0: 7, 1: 7}


def test_a_request_is_repeated_until_the_partition_has_a_leader() -> None:
    """As after a restart of its broker, or just after its topic was made."""
    reader = reader_of(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
    assert reader.offset_for_time(0, 1_669_000_000_000) == 5


def test_any_other_error_is_raised_at_once() -> None:
    """It would be the same the next time."""
    with pytest.raises(KafkaException):
        reader_of(KafkaError.GROUP_AUTHORIZATION_FAILED).committed([0])


def test_the_repetition_can_be_interrupted() -> None:
    """By Ctrl-C, like everything else."""
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(Interrupted):
        reader_of(*[KafkaError.NOT_COORDINATOR] * 1000, stopping=stopping).committed([0])
