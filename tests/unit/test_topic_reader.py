"""What is asked of a broker beside the group."""

import threading
from typing import cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from local.kafka_trigger.commands.errors import Interrupted
from local.kafka_trigger.commands.topic_reader import TopicReader


class FakeConsumer:
    """Says some times that there is no coordinator, no leader, or another error."""

    def __init__(self, *errors: int) -> None:
        self.errors = list(errors)

    def committed(self, places: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        """What was committed, in the end."""
        self._ask(timeout)
        return [TopicPartition(each.topic, each.partition, 7) for each in places]

    def offsets_for_times(
        self, times: list[TopicPartition], timeout: float
    ) -> list[TopicPartition]:
        """Where the records of a time begin, in the end."""
        self._ask(timeout)
        return [TopicPartition(each.topic, each.partition, 5) for each in times]

    def _ask(self, timeout: float) -> None:
        assert timeout > 0
        if self.errors:
            raise KafkaException(KafkaError(self.errors.pop(0)))


def reader(*errors: int) -> TopicReader:
    """A reader of a broker that answers with these errors first."""
    return TopicReader(cast(Consumer, FakeConsumer(*errors)), "topic", threading.Event())


def test_a_fresh_cluster_is_asked_until_it_knows_of_groups() -> None:
    """It makes their topic when it is asked for the first of them."""
    found = reader(KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE)
    assert found.committed([0, 1]) == {0: 7, 1: 7}


def test_a_partition_that_moves_is_asked_of_until_it_has_a_leader() -> None:
    """As after a restart of its broker, or just after its topic was made."""
    found = reader(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
    assert found.offset_at(0, 1_669_000_000_000) == 5


def test_any_other_error_is_told_at_once() -> None:
    """It would be the same the next time."""
    with pytest.raises(KafkaException):
        reader(KafkaError.GROUP_AUTHORIZATION_FAILED).committed([0])


def test_the_wait_can_be_interrupted() -> None:
    """By Ctrl-C, as all else."""
    found = reader(*[KafkaError.NOT_COORDINATOR] * 1000)
    found._stopping.set()
    with pytest.raises(Interrupted):
        found.committed([0])
