"""One trigger's consumer: a thread that never stops polling, whatever its function does."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from local.kafka_trigger.config.models import Trigger
from local.kafka_trigger.consuming.back_pressure import BackPressure
from local.kafka_trigger.consuming.commits import Commits
from local.kafka_trigger.consuming.group_monitor import GroupMonitor
from local.kafka_trigger.consuming.partition import Partition
from local.kafka_trigger.consuming.read_errors import ReadErrors
from local.kafka_trigger.consuming.record import Record, readable
from local.kafka_trigger.kafka.broker_watchdog import BrokerWatchdog
from local.kafka_trigger.kafka.settings import NO_COORDINATOR
from local.kafka_trigger.observing.trigger_state import TriggerState

AT_ONCE = 1000  # records taken from the client in one go
IDLE_S = 0.1  # how late a stop may be noticed
BUSY_S = 0.01  # how late a paused partition may be resumed, or a batch committed
COMMIT_WITHIN_S = 60.0  # librdkafka's own limit for one that is waited for
LAST_COMMIT_WITHIN_S = 3.0
JOIN_WITHIN_S = 4.0
LEAVE_WITHIN_S = 3.0

log = logging.getLogger(__name__)


class TriggerConsumer:
    """Reads a trigger's topic, hands records to its partitions, and commits what they have done.

    `connect` makes the client, given what to call when a commit has ended. All that is said to
    the client is said in the thread that calls `run`, and there the client calls back; so
    nothing here needs a lock. `polled` is called there too, in each round. `watch` is for other
    threads to see how it stands.
    """

    def __init__(
        self,
        trigger: Trigger,
        connect: Callable[[Callable[..., None]], Consumer],
        make_partition: Callable[[int], Partition],
        clock: Callable[[], float] = time.monotonic,
        *,
        brokers: BrokerWatchdog | None = None,
        polled: Callable[[], None] = lambda: None,
        is_told_nothing: bool = False,
    ) -> None:
        self._read_errors = ReadErrors(trigger.topic, clock)
        self.watch = TriggerState(trigger.name, clock, self._read_errors.found)
        self._trigger = trigger
        self._make_partition = make_partition
        self._clock = clock
        self._brokers = brokers or BrokerWatchdog()
        self._polled = polled
        self._partitions = self.watch.partitions
        self._progress = self.watch.progress
        self._joining = True
        self._must_join_anew = False
        self._finishing = False
        self._commits = Commits(trigger.name, trigger.topic, clock)
        self._back_pressure = BackPressure(trigger.topic, self.watch.paused, clock)
        self._lookout = GroupMonitor(
            self.watch, trigger.topic, is_told_nothing=is_told_nothing, clock=clock
        )
        self._client = self._commits.client = connect(self._commits.ended)
        self._back_pressure.client = self._lookout.client = self._client
        self._read_errors.client = self._client

    def run(self, stopping: threading.Event) -> None:
        """Work until told to stop; then finish what is in flight, commit, and leave the group.

        Raises what ended a partition's thread, or KafkaException or BrokersForgotten when the
        client cannot go on.
        """
        self._lookout.begin()
        self._join()
        try:
            while not stopping.is_set():
                self._round()
        finally:
            self._finish()

    def _join(self) -> None:
        self._joining = True
        self._client.subscribe(
            [self._trigger.topic],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def _round(self) -> None:
        """Take what has arrived, hand it on, hold back what is too much, and commit."""
        self.watch.turn()
        self._hand_on(self._arrived())
        self._back_pressure.apply({each.number: each.queue for each in self._partitions.values()})
        self._commits.request(self._positions())
        self._lookout.look()
        self._read_errors.look(lambda number: self._positions().get(number))
        self._brokers.check()
        self._polled()
        if self._must_join_anew:
            self._join_anew()
        for partition in self._partitions.values():
            if partition.failure:
                raise partition.failure

    def _arrived(self) -> list[Message]:
        """Wait for a record, and take it with all that is there: `consume` waits to have many."""
        is_busy = self.watch.paused or self._commits.due(self._positions())
        messages = self._client.consume(1, BUSY_S if is_busy else IDLE_S)
        return messages + self._client.consume(AT_ONCE, 0) if messages else []

    def _hand_on(self, messages: list[Message]) -> None:
        """Put records into their partitions' queues, and only then note the ends after them."""
        records = [readable(message) for message in messages if message.error() is None]
        for number, run in groupby(records, lambda each: cast(int, each.partition())):
            if partition := self._partitions.get(number):
                batch = cast(list[Record], list(run))
                self._progress.hand_on(number, batch[-1].offset() + 1)
                self._read_errors.read(number)
                partition.queue.put(batch)
        for message in messages:
            if error := message.error():
                self._note(error, message)

    def _note(self, error: KafkaError, message: Message) -> None:
        number = message.partition()
        if error.fatal():
            raise KafkaException(error)
        if error.code() == KafkaError._PARTITION_EOF:
            if number in self._partitions:
                self._progress.meet_end(number, cast(int, message.offset()))
                self._read_errors.read(number)
            return
        # One that is of no partition says 0, and no offset.
        self._read_errors.note(None if message.offset() is None else number, error)
        self._say(logging.WARNING, "Kafka reports an error", error=error.str())
        # librdkafka 2.16 does not ask again where a partition begins when it is answered so, and
        # would never read what it has been assigned just before.
        if error.code() in NO_COORDINATOR and not self._joining:
            self._join_anew()

    def _join_anew(self) -> None:
        self._must_join_anew = False
        self._client.unsubscribe()  # its partitions are revoked, as in any rebalance
        self._join()

    def _positions(self) -> dict[int, int | None]:
        return {
            number: self._progress.settled(number, partition.position)
            for number, partition in self._partitions.items()
        }

    def _on_assign(self, _: Consumer, places: list[TopicPartition]) -> None:
        self._joining = False
        if self._finishing:
            return
        self.watch.is_member = True
        self._read_errors.assigned(_numbers(places))
        if self._trigger.auto_offset_reset == "latest" and not self._has_begun(places):
            return
        for number in _numbers(places):
            partition = self._make_partition(number)
            partition.start()
            self._partitions[number] = partition
        self._say_changed(logging.INFO, "partitions assigned", places)

    def _has_begun(self, places: list[TopicPartition]) -> bool:
        """Whether the group has an offset of each partition; without one none is read."""
        self.watch.turn(COMMIT_WITHIN_S)
        try:
            self._commits.begin(_numbers(places))
        except KafkaException as error:
            self._must_join_anew = True
            self._read_errors.note(None, error.args[0])
            self._say(logging.WARNING, "no offset to begin at", error=error.args[0].str())
        return not self._must_join_anew

    def _on_revoke(self, _: Consumer, places: list[TopicPartition]) -> None:
        self._joining = True
        self.watch.turn(self._trigger.drain_s + COMMIT_WITHIN_S)
        self._commits.now(self._give_up(_numbers(places), self._trigger.drain_s))
        self._say_changed(logging.INFO, "partitions revoked", places)

    def _on_lost(self, _: Consumer, places: list[TopicPartition]) -> None:
        """Somebody else may own them by now: nothing is waited for, and nothing committed."""
        self._joining = True
        self.watch.is_member = False
        self._lookout.begin()
        self._give_up(_numbers(places), 0)
        self._say_changed(logging.WARNING, "partitions lost", places)

    def _finish(self) -> None:
        self._finishing = True
        self.watch.turn(self._trigger.drain_s)
        positions = self._give_up(list(self._partitions), self._trigger.drain_s)
        self._commits.last(positions, LAST_COMMIT_WITHIN_S)
        self._finish_joining()
        self._leave()
        self.watch.turn(float("inf"))

    def _finish_joining(self) -> None:
        """Be assigned before leaving: a group of the embedded broker else lets nobody in again."""
        deadline = self._clock() + JOIN_WITHIN_S
        while self._joining and self._clock() < deadline:
            self._client.consume(1, IDLE_S)

    def _leave(self) -> None:
        """Leave the group; without a broker the client would try to for ever."""
        leaving = threading.Thread(target=self._client.close, daemon=True)
        leaving.start()
        leaving.join(LEAVE_WITHIN_S)
        if leaving.is_alive():
            self._say(logging.WARNING, "the group cannot be told that we leave")
        else:
            self._say(logging.INFO, "left the group")

    def _give_up(self, numbers: Iterable[int], within_s: float) -> dict[int, int]:
        """Let go of partitions; returns how far they came. What comes later comes too late."""
        gone = [self._partitions.pop(number) for number in numbers if number in self._partitions]
        for partition in gone:
            partition.stop()
        deadline = self._clock() + within_s
        late = [each.number for each in gone if not each.drain(deadline - self._clock())]
        if late:
            self._say(logging.WARNING, "not finished in time, comes again", partitions=late)
        settled = {each.number: self._progress.settled(each.number, each.position) for each in gone}
        for part in (self._commits, self._back_pressure, self._progress, self._read_errors):
            part.forget(settled.keys())
        return {number: offset for number, offset in settled.items() if offset is not None}

    def _say_changed(self, level: int, message: str, places: list[TopicPartition]) -> None:
        self._say(level, message, partitions=_numbers(places), owned=sorted(self._partitions))

    def _say(self, level: int, message: str, **fields: object) -> None:
        log.log(level, message, extra={"fields": {"trigger": self._trigger.name} | fields})


def _numbers(places: Iterable[TopicPartition]) -> list[int]:
    return sorted(place.partition for place in places)
