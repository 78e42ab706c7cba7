"""The thread that polls: its requests to Kafka, and when it makes them."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from local.kafka_trigger.config.models import Trigger
from local.kafka_trigger.consuming.consumer import REJOIN_AFTER_S, TriggerConsumer
from local.kafka_trigger.consuming.partition_worker import PartitionWorker
from local.kafka_trigger.consuming.record_queue import RecordQueue, capacity
from local.kafka_trigger.delivering.context import DeliveryStatus
from local.kafka_trigger.kafka.broker_watchdog import BrokersUnknown, BrokerWatchdog
from local.kafka_trigger.kafka.consumer_client import ConsumerClient
from local.kafka_trigger.record import Record
from tests.support.builders.records import TOPIC, record, records

TRIGGER = Trigger(
    name="trigger",
    topic=TOPIC,
    group="group",
    function="http://f",
    batch_size=500,
    auto_offset_reset="earliest",
)
Event = Callable[[], list[Record] | None]


def _partitions(topic_partitions: list[TopicPartition]) -> list[int]:
    return [each.partition for each in topic_partitions]


@dataclass
class FakeWorker:
    """A worker that delivers nothing; tests set how far it is."""

    partition: int
    processed_to: int | None = None
    failure: Exception | None = None
    finishes: bool = True
    status: DeliveryStatus = field(default_factory=DeliveryStatus)
    at_drain: int | None = None
    calls: list[str] = field(default_factory=list)
    queue: RecordQueue = field(
        default_factory=lambda: RecordQueue(batch_size=500, batch_bytes=2**20, window_s=0)
    )

    def start(self) -> None:
        """Record the call."""
        self.calls.append("start")

    def stop(self) -> None:
        """Record the call."""
        self.calls.append("stop")

    def drain(self, timeout_s: float) -> bool:
        """Finish the batch in flight, if the test says so."""
        self.calls.append(f"drain {timeout_s:g}")
        self.processed_to = self.at_drain or self.processed_to
        return self.finishes


class ConsumerHarness:
    """A consumer whose client is fake: events happen while it is polled, and calls are recorded."""

    def __init__(
        self,
        *,
        reports_empty_assignment: bool = True,
        brokers: BrokerWatchdog | None = None,
        **trigger: Any,
    ) -> None:
        self.time = 100.0
        self.events: list[Event] = []
        self.requests: list[tuple[str, Any]] = []
        self.commits: list[tuple[dict[int, int], bool]] = []
        self.timeouts: list[float] = []
        self.workers: list[FakeWorker] = []
        self.commit_error: KafkaError | None = None
        self.commits_end = True
        self.ends: dict[int, int] = {}
        self.metadata_error: KafkaError | None = None
        self.committed_before: dict[int, int] = {}
        self.metadata = b"a stranger's"
        self.memberships = 0
        self.is_subscribed = False
        self.stopping = threading.Event()
        self.client = ConsumerClient(
            cast(Consumer, self),
            brokers=brokers or BrokerWatchdog(),
            reports_empty_assignment=reports_empty_assignment,
        )
        self.consumer = TriggerConsumer(
            TRIGGER.model_copy(update=trigger), self.client, self.make_worker, self.clock
        )
        self.state = self.consumer.state

    def clock(self) -> float:
        """The time."""
        return self.time

    def make_worker(self, partition: int) -> PartitionWorker:
        """Make a fake worker."""
        self.workers.append(FakeWorker(partition))
        return cast(PartitionWorker, self.workers[-1])

    def end_commit(self, error: KafkaError | None, *committed: TopicPartition) -> None:
        """Report the result of an asynchronous commit, as the client's callback does."""
        self.client.commit_results.append((error, list(committed)))

    def subscribe(self, topics: list[str], **callbacks: Callable[..., None]) -> None:
        """Keep the callbacks."""
        assert topics == [TOPIC]
        assert not self.is_subscribed
        self.memberships += 1
        self.is_subscribed = True
        self.callbacks = callbacks

    def unsubscribe(self) -> None:
        """Be subscribed no more."""
        self.is_subscribed = False

    def consume(self, number: int, timeout: float) -> list[Message]:
        """Let the next event happen; after the last one, stop."""
        if number > 1:
            return []
        self.timeouts.append(timeout)
        self.time += 1
        if not self.events:
            self.stopping.set()
            return []
        return cast(list[Message], self.events.pop(0)() or [])

    def pause(self, topic_partitions: list[TopicPartition]) -> None:
        """Record the call."""
        self.requests.append(("pause", _partitions(topic_partitions)))

    def resume(self, topic_partitions: list[TopicPartition]) -> None:
        """Record the call."""
        self.requests.append(("resume", _partitions(topic_partitions)))

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        """Record the commit, and report its end."""
        self.commits.append(({each.partition: each.offset for each in offsets}, asynchronous))
        self.requests.append(("commit", self.commits[-1]))
        if asynchronous:
            if self.commits_end:
                self.end_commit(self.commit_error, *offsets)
        elif self.commit_error:
            raise KafkaException(self.commit_error)

    def committed(
        self, topic_partitions: list[TopicPartition], timeout: float
    ) -> list[TopicPartition]:
        """Return the offset that the group committed earlier."""
        assert timeout > 0
        if self.commit_error:
            raise KafkaException(self.commit_error)
        known = self.committed_before
        return [
            TopicPartition(TOPIC, each.partition, known.get(each.partition, OFFSET_INVALID))
            for each in topic_partitions
        ]

    def get_watermark_offsets(
        self, topic_partition: TopicPartition, timeout: float = 0, *, cached: bool = False
    ) -> tuple[int, int]:
        """The end of a partition, as it is or as far as it was fetched."""
        assert cached is not (timeout > 0)
        if not cached and self.metadata_error:
            raise KafkaException(self.metadata_error)
        return (0, self.ends.get(topic_partition.partition, -1001))

    def list_topics(self, topic: str, timeout: float) -> Any:
        """Return the broker's metadata of the topic."""
        assert timeout > 0
        return SimpleNamespace(topics={topic: SimpleNamespace(error=self.metadata_error)})

    def consumer_group_metadata(self) -> bytes:
        """Return the group's metadata."""
        return self.metadata

    def close(self) -> None:
        """Record the call; partitions that are still assigned are revoked."""
        self.requests.append(("close", None))

    def assign(self, *partitions: int) -> Event:
        """The event that partitions are assigned."""
        return self.call("on_assign", partitions)

    def call(self, callback: str, partitions: tuple[int, ...]) -> Event:
        """The event that a callback is called."""
        assigned = [TopicPartition(TOPIC, each) for each in partitions]
        return lambda: self.callbacks[callback](self, assigned)

    def run(self, *events: Event) -> "ConsumerHarness":
        """Let events happen one after the other, then stop."""
        self.events += events
        self.consumer.run(self.stopping)
        return self


def test_records_are_enqueued_by_partition_in_order() -> None:
    """Each partition gets its own records of a poll, in the order in which they arrived."""
    harness = ConsumerHarness()
    mixed = [record(offset, partition=number) for number in (1, 0, 1) for offset in (number, 7)]
    harness.run(harness.assign(0, 1), lambda: mixed)
    queues = {each.partition: each.queue.take() for each in harness.workers}
    assert [each.offset() for each in queues[0]] == [0, 7]
    assert [each.offset() for each in queues[1]] == [1, 7, 1, 7]


def test_processed_offsets_are_committed_soon_and_once() -> None:
    """A commit contains the next offset, and is not repeated."""
    harness = ConsumerHarness()

    def advance() -> None:
        harness.workers[0].processed_to = 5

    harness.run(harness.assign(0, 1), advance, lambda: None, lambda: None)
    assert harness.commits[:-1] == [({0: 5}, True)]


def test_commits_are_limited_in_rate() -> None:
    """The progress of some milliseconds goes into one commit."""
    harness = ConsumerHarness()

    def advance_within_a_moment() -> None:
        harness.time -= 1 - 0.001
        harness.workers[0].processed_to = (harness.workers[0].processed_to or 0) + 1

    harness.run(harness.assign(0), *[advance_within_a_moment] * 100)
    assert len(harness.commits) < 5
    assert harness.commits[-1] == ({0: 100}, True)


def test_a_failed_commit_is_retried() -> None:
    """Until it succeeds, and not immediately."""
    harness = ConsumerHarness()
    harness.commit_error = KafkaError(KafkaError.REQUEST_TIMED_OUT)

    def advance() -> None:
        harness.workers[0].processed_to = 5

    def clear_error() -> None:
        harness.commit_error = None

    harness.run(harness.assign(0), advance, lambda: None, clear_error, lambda: None, lambda: None)
    failed_and_repeated = harness.commits[:-1]
    assert failed_and_repeated[-1] == ({0: 5}, True)
    assert 2 <= len(failed_and_repeated) <= 4


def test_a_commit_waits_for_the_previous_one() -> None:
    """Of two in flight, the client might retry the older one last, and the offset would go back."""
    harness = ConsumerHarness()
    harness.commits_end = False

    def advance(position: int) -> Event:
        return lambda: setattr(harness.workers[0], "processed_to", position)

    def end() -> None:
        harness.commits_end = True
        harness.end_commit(None, TopicPartition(TOPIC, 0, 1))

    harness.run(harness.assign(0), advance(1), advance(2), advance(3), end, lambda: None)
    assert [offsets for offsets, _ in harness.commits] == [{0: 1}, {0: 3}, {0: 3}]


def test_a_partition_is_paused_while_its_queue_is_full() -> None:
    """It is resumed once the queue is low; the other partition is not paused."""
    harness = ConsumerHarness()

    def fill() -> list[Record]:
        return records(range(capacity(500)))

    def drain() -> None:
        while not harness.workers[0].queue.is_low:
            harness.workers[0].queue.take()

    harness.run(harness.assign(0, 1), fill, lambda: None, lambda: None, drain, lambda: None)
    assert [each for each in harness.requests if each[0] != "commit"] == [
        ("pause", [0]),
        ("resume", [0]),
        ("close", None),
    ]


def test_polls_are_short_only_while_there_is_work() -> None:
    """An idle trigger does not keep a processor busy."""
    harness = ConsumerHarness()

    def advance() -> None:
        harness.workers[0].processed_to = 5

    def advance_too_soon_for_a_commit() -> None:
        harness.workers[0].processed_to = 6
        harness.time -= 1 - 0.001

    harness.run(harness.assign(0), advance, advance_too_soon_for_a_commit, lambda: None)
    assert [timeout < harness.timeouts[0] for timeout in harness.timeouts] == [
        False,
        False,
        False,
        True,
        False,
    ]


def test_a_revoked_partition_is_drained_and_committed() -> None:
    """The batch in flight may finish within the budget; then the offsets are committed at once."""
    harness = ConsumerHarness(drain_s=7)

    def in_flight() -> None:
        harness.workers[0].processed_to, harness.workers[0].at_drain = 5, 8

    harness.run(harness.assign(0, 1), in_flight, harness.call("on_revoke", (0, 1)))
    assert harness.workers[0].calls == ["start", "stop", "drain 7"]
    assert ({0: 8}, False) in harness.commits


def test_a_late_response_never_commits_a_revoked_partition() -> None:
    """Neither after a revocation nor after the partition is assigned again."""
    harness = ConsumerHarness()

    def revoke_with_a_request_in_flight() -> None:
        harness.workers[0].processed_to, harness.workers[0].finishes = 5, False
        harness.call("on_revoke", (0,))()

    def late_answer() -> None:
        harness.workers[0].processed_to = 9

    harness.run(
        harness.assign(0),
        revoke_with_a_request_in_flight,
        late_answer,
        lambda: None,
        harness.assign(0),
        lambda: None,
    )
    assert harness.commits == [({0: 5}, False)]


def test_a_lost_partition_is_neither_drained_nor_committed() -> None:
    """Its next owner may already process it."""
    harness = ConsumerHarness()

    def lose() -> None:
        harness.workers[0].processed_to = 5
        harness.call("on_lost", (0,))()

    harness.run(harness.assign(0), lose)
    assert harness.workers[0].calls == ["start", "stop", "drain 0"]
    assert not harness.commits


def test_a_partition_assigned_again_has_a_new_worker_and_is_not_paused() -> None:
    """The client keeps a pause beyond an assignment, so it is resumed before."""
    harness = ConsumerHarness()
    harness.run(
        harness.assign(0),
        lambda: records(range(capacity(500))),
        harness.call("on_revoke", (0,)),
        harness.assign(0),
        lambda: records([7]),
    )
    assert [each for each in harness.requests if each[0] in {"pause", "resume"}] == [
        ("pause", [0]),
        ("resume", [0]),
    ]
    assert [each.offset() for each in harness.workers[1].queue.take()] == [7]


def test_records_of_a_revoked_partition_are_not_delivered() -> None:
    """They are for its next owner."""
    harness = ConsumerHarness()
    harness.run(harness.assign(0), harness.call("on_revoke", (0,)), lambda: records([7]))
    harness.workers[0].queue.close()
    assert not harness.workers[0].queue.take()


def test_a_stop_drains_commits_and_leaves_the_group() -> None:
    """In this order; meanwhile nothing is assigned any more."""
    harness = ConsumerHarness(drain_s=7)

    def in_flight() -> None:
        harness.workers[0].at_drain = 8

    harness.run(harness.assign(0), in_flight)
    assert harness.workers[0].calls == ["start", "stop", "drain 7"]
    assert harness.requests == [("commit", ({0: 8}, True)), ("close", None)]
    harness.assign(0)()
    assert len(harness.workers) == 1


def test_a_joining_member_is_assigned_before_it_leaves() -> None:
    """The embedded broker's groups get stuck on a member that leaves while it joins."""
    harness = ConsumerHarness()
    harness.stopping.set()
    harness.run(harness.assign(0))
    assert harness.requests == [("close", None)]
    assert not harness.events
    assert not harness.workers


def test_a_stop_without_a_broker_ends() -> None:
    """It waits only some seconds for the last commit."""
    harness = ConsumerHarness()
    harness.commits_end = False

    def advance() -> None:
        harness.workers[0].processed_to = 5

    harness.run(harness.assign(0), advance)
    assert harness.requests[-1] == ("close", None)


def test_an_unexpected_error_of_a_worker_ends_the_trigger() -> None:
    """After committing what is processed; a supervisor restarts the trigger."""
    harness = ConsumerHarness()

    def fail() -> None:
        harness.workers[0].failure = ZeroDivisionError()
        harness.workers[0].processed_to = 5

    with pytest.raises(ZeroDivisionError):
        harness.run(harness.assign(0), fail)
    assert harness.commits[0] == ({0: 5}, True)
    assert harness.requests[-1] == ("close", None)


def error_message(
    code: int, *, fatal: bool = False, partition: int = 0, offset: int = -1001
) -> Record:
    """A message that is an error and not a record; without an offset it is of no partition."""
    error = KafkaError(code, "error", fatal=fatal)
    return cast(Record, Message(topic=TOPIC, error=error, partition=partition, offset=offset))


def end(offset: int, partition: int = 0) -> Record:
    """The message that a partition has ended at this offset."""
    return error_message(KafkaError._PARTITION_EOF, partition=partition, offset=offset)


def test_offsets_without_a_record_are_committed_with_the_records_before_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Those of transactions at the end: the group's lag becomes 0, and nothing is logged."""
    harness = ConsumerHarness()

    def settle(position: int) -> Event:
        return lambda: setattr(harness.workers[0], "processed_to", position)

    harness.run(
        harness.assign(0),
        lambda: [record(3), end(5), record(7), end(9)],
        settle(4),
        settle(8),
        lambda: None,
    )
    assert [offsets for offsets, _ in harness.commits[:-1]] == [{0: 4}, {0: 9}]
    assert not caplog.records


def test_a_partition_s_end_is_not_committed_before_its_records() -> None:
    """In whatever order they arrive, and also if a later assignment meets the end again."""
    harness = ConsumerHarness()
    harness.run(
        harness.assign(0),
        lambda: [end(5), record(7), record(8), end(10)],
        lambda: [record(12)],
        harness.call("on_revoke", (0,)),
    )
    assert harness.commits == []
    again = ConsumerHarness()
    again.run(again.assign(0), lambda: [end(10)], lambda: [record(12)], lambda: None)
    assert [offsets for offsets, _ in again.commits] == [{0: 10}, {0: 10}]


def test_nothing_is_committed_of_an_empty_partition() -> None:
    """So a later start begins where the file says."""
    harness = ConsumerHarness()
    harness.run(harness.assign(0, 1), lambda: [end(0), end(0, 1), end(5, 7)], lambda: None)
    assert harness.commits == []


NOT_ALLOWED, NO_TOPIC = KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART


def blocked_at_each_step(harness: ConsumerHarness, *events: Event) -> list[set[int | None]]:
    """The partitions that are blocked after each of these events."""
    seen: list[set[int | None]] = []
    for event in events:
        harness.events += [event, lambda: seen.append(set(harness.state.blocked()))]
    harness.run()
    return seen


def test_a_missing_topic_blocks_until_partitions_are_assigned() -> None:
    """An assignment without partitions does not mean that the topic exists."""
    harness = ConsumerHarness()
    harness.metadata_error = KafkaError(NO_TOPIC)
    steps = (lambda: [error_message(NO_TOPIC)], harness.assign(), harness.assign(0))
    assert blocked_at_each_step(harness, *steps) == [{None}, {None}, set()]


def test_a_topic_that_others_read_blocks_until_the_broker_has_it() -> None:
    """A trigger that gets no partition of it has no other way to know."""
    harness = ConsumerHarness()
    harness.metadata_error = KafkaError(NOT_ALLOWED)

    def wait() -> None:
        harness.time += 10

    def allow() -> None:
        wait()
        harness.metadata_error = None

    steps: list[Event] = [lambda: [error_message(NOT_ALLOWED)], wait, allow]
    assert blocked_at_each_step(harness, *steps) == [{None}, {None}, set()]


def test_a_forbidden_group_blocks_until_it_admits_the_trigger() -> None:
    """The topic's existence does not show that the group is allowed."""
    harness = ConsumerHarness()
    refused = error_message(KafkaError.GROUP_AUTHORIZATION_FAILED)
    steps = (lambda: [refused], lambda: setattr(harness, "time", 200), harness.assign())
    assert blocked_at_each_step(harness, *steps) == [{None}, {None}, set()]


def test_an_unreadable_partition_blocks_until_a_record_arrives() -> None:
    """Or its end, or until it is revoked."""
    harness = ConsumerHarness()
    refused = error_message(NOT_ALLOWED, offset=9)
    steps = (
        harness.assign(0, 1), lambda: [refused], lambda: [record(7, partition=1)],
        lambda: [record(7)],
        lambda: [refused], lambda: [end(9)], lambda: [refused], harness.call("on_revoke", (0,)),
    )  # fmt: skip
    seen = blocked_at_each_step(harness, *steps)
    assert seen == [set(), {0}, {0}, set(), {0}, set(), {0}, set()]


def test_an_unreadable_partition_without_records_blocks_until_the_broker_responds() -> None:
    """If it had records, their arrival would end the error."""
    harness = ConsumerHarness()
    harness.ends, harness.metadata_error = {0: 9}, KafkaError(NOT_ALLOWED)

    def wait() -> None:
        harness.time += 10

    def allow() -> None:
        wait()
        harness.metadata_error = None

    def settle() -> None:
        wait()
        harness.workers[0].processed_to = 9

    refused = error_message(NOT_ALLOWED, offset=9)
    steps: list[Event] = [harness.assign(0), lambda: [refused], wait, allow, settle]
    assert blocked_at_each_step(harness, *steps) == [set(), {0}, {0}, {0}, set()]


def test_a_group_that_cannot_commit_where_it_starts_is_blocked_until_it_can() -> None:
    """It is a member all the while, without a partition."""
    harness = ConsumerHarness(auto_offset_reset="latest")
    harness.ends, harness.metadata_error = {0: 100}, KafkaError(NOT_ALLOWED)

    def allow() -> None:
        harness.metadata_error = None

    steps: list[Event] = [harness.assign(0), harness.assign(0), allow, harness.assign(0)]
    assert blocked_at_each_step(harness, *steps) == [{None}, {None}, {None}, set()]
    assert harness.state.is_member


def test_temporary_errors_block_nothing() -> None:
    """A broker that is unreachable, or a group that has no coordinator at the moment."""
    harness = ConsumerHarness()
    codes = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError.NOT_COORDINATOR)
    steps = [(lambda code=code: [error_message(code)]) for code in codes]
    assert blocked_at_each_step(harness, *steps) == [set()] * 3


def test_an_error_from_kafka_is_logged_and_polling_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """For example while a topic does not exist yet."""
    harness = ConsumerHarness()
    absent = error_message(KafkaError.UNKNOWN_TOPIC_OR_PART)
    harness.run(lambda: [absent], harness.assign(0), lambda: [absent, record(7)])
    assert [each.offset() for each in harness.workers[0].queue.take()] == [7]
    assert [each.message for each in caplog.records] == ["Kafka reports an error"] * 2


def test_a_trigger_rejoins_its_group_after_the_coordinator_was_lost() -> None:
    """Once, however often the error is reported meanwhile."""
    harness = ConsumerHarness()
    unread = error_message(KafkaError.NOT_COORDINATOR)
    harness.run(
        harness.assign(0),
        lambda: [unread, unread],
        lambda: [unread],
        harness.call("on_revoke", (0,)),
        harness.assign(0),
        lambda: [record(7)],
    )
    assert harness.memberships == 2
    assert [each.offset() for each in harness.workers[1].queue.take()] == [7]


def test_a_trigger_rejoins_its_group_if_it_lost_its_partitions_and_gets_none() -> None:
    """Once for each loss, after a while: the client may not join again by itself."""
    harness = ConsumerHarness()
    wait: list[Event] = [lambda: None] * int(REJOIN_AFTER_S)
    harness.run(harness.assign(0), harness.call("on_lost", (0,)), *wait, *wait)
    assert harness.memberships == 2


def test_a_trigger_that_lost_its_partitions_and_gets_others_stays_in_its_group() -> None:
    """The client has joined by itself, or was in the group all the time."""
    harness = ConsumerHarness()
    wait: list[Event] = [lambda: None] * int(REJOIN_AFTER_S)
    harness.run(*wait, harness.assign(0), harness.call("on_lost", (0,)), harness.assign(1), *wait)
    assert harness.memberships == 1


def test_a_group_that_starts_at_latest_commits_the_end_before_it_reads() -> None:
    """Else records before its first commit would be skipped after a restart."""
    harness = ConsumerHarness(auto_offset_reset="latest")
    harness.ends, harness.committed_before = {0: 100, 1: 200, 2: 300}, {1: 150}
    harness.run(harness.assign(0, 1, 2))
    assert harness.commits == [({0: 100, 2: 300}, False)]
    assert [each.calls[0] for each in harness.workers] == ["start"] * 3


def test_a_group_that_cannot_commit_the_end_reads_nothing_and_rejoins() -> None:
    """Records that arrive meanwhile are not lost: a later try commits a later end."""
    harness = ConsumerHarness(auto_offset_reset="latest")
    harness.ends, harness.commit_error = {0: 100}, KafkaError(KafkaError._TIMED_OUT)

    def clear_error() -> None:
        harness.commit_error = None

    harness.run(
        harness.assign(0),
        lambda: [record(100)],
        clear_error,
        harness.call("on_revoke", (0,)),
        harness.assign(0),
        lambda: [record(100)],
    )
    assert (harness.memberships, len(harness.workers)) == (2, 1)
    assert harness.commits == [({0: 100}, False)]
    assert [each.offset() for each in harness.workers[0].queue.take()] == [100]


def test_a_fatal_error_ends_the_trigger() -> None:
    """Else the trigger would run and do nothing."""
    harness = ConsumerHarness()
    fatal = error_message(KafkaError._FATAL, fatal=True)
    with pytest.raises(KafkaException):
        harness.run(lambda: [fatal])
    assert harness.requests[-1] == ("close", None)


def test_a_trigger_is_a_member_from_its_first_assignment_until_it_is_lost() -> None:
    """An empty assignment counts too; a rebalance does not end the membership."""
    harness = ConsumerHarness()
    seen: list[bool] = []

    def see() -> None:
        seen.append(harness.state.is_member)

    harness.run(
        see,
        harness.assign(),
        see,
        harness.call("on_revoke", ()),
        see,
        harness.call("on_lost", ()),
        see,
        harness.assign(0),
        see,
    )
    assert seen == [False, True, True, False, True]


def test_a_member_without_assignment_is_known_by_its_group_s_metadata() -> None:
    """With Apache Kafka 4's protocol, a member that gets no partition is not called back."""
    harness = ConsumerHarness(reports_empty_assignment=False)
    seen: list[bool] = []

    def see() -> None:
        seen.append(harness.state.is_member)

    def join() -> None:
        harness.metadata = b"a member's"

    harness.run(lambda: None, see, join, see)
    assert seen == [False, True]
    metadata_say_nothing = ConsumerHarness().run(join)
    assert not metadata_say_nothing.state.is_member


def test_end_offsets_are_updated_every_second() -> None:
    """Only those of assigned partitions, and only where the client knows them."""
    harness = ConsumerHarness()
    harness.ends = {0: 70, 7: 1}
    seen: list[dict[int, int]] = []

    def see() -> None:
        seen.append(harness.state.end_offsets)

    def write_within_a_moment() -> None:
        harness.ends[0] += 1
        harness.time -= 1 - 0.001

    harness.run(harness.assign(0, 1), see, write_within_a_moment, see, lambda: None, see)
    assert seen == [{0: 70}, {0: 70}, {0: 71}]


def test_a_poll_loop_that_runs_is_healthy() -> None:
    """Each poll counts; a revocation has the time of a drain and a commit."""
    harness = ConsumerHarness(drain_s=240)

    def wait_within_a_turn(seconds: float) -> Event:
        def wait() -> None:
            harness.time += seconds
            seen.append(harness.state.health_problem() is None)

        return wait

    def revoke() -> None:
        harness.call("on_revoke", ())()
        wait_within_a_turn(300)()

    seen: list[bool] = []
    harness.run(wait_within_a_turn(28), wait_within_a_turn(28), wait_within_a_turn(31), revoke)
    assert seen == [True, True, False, True]
    harness.time += 1_000_000
    assert harness.state.health_problem() is None


def statistics(*sources: str) -> str:
    """The statistics that librdkafka reports of its brokers, and much else."""
    brokers = {f"broker-{number}": {"source": each} for number, each in enumerate(sources)}
    return json.dumps({"type": "consumer", "brokers": brokers})


OWN = ("internal", "logical")


def test_a_client_that_knows_no_broker_ends_the_trigger() -> None:
    """The batch in flight is finished first, and a supervisor restarts the trigger."""
    known = BrokerWatchdog()
    harness = ConsumerHarness(brokers=known)

    def look() -> None:
        known.read_statistics(statistics(*OWN))

    with pytest.raises(BrokersUnknown):
        harness.run(harness.assign(0), look, look, look, lambda: pytest.fail("it goes on"))
    assert "drain 10" in harness.workers[0].calls


@pytest.mark.parametrize("source", ["configured", "learned"])
def test_an_unreachable_broker_is_waited_for(source: str) -> None:
    """For ever: the client knows it, and may know none for a moment."""
    known = BrokerWatchdog()
    for _ in range(100):
        for sources in [(*OWN, source), OWN, OWN]:
            known.read_statistics(statistics(*sources))
            known.check()
