"""A publisher whose producer has failed: another replaces it, and no record is lost."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from functions.shared.errors import NotAcknowledged
from functions.shared.kafka import producers, publisher
from functions.shared.kafka.publisher import Publisher, Record
from functions.shared.kafka.settings import KafkaSettings
from functions.shared.settings.load import load

RECORD = Record("topic", "key", b"value", {})
FENCED = KafkaError(KafkaError.PRODUCER_FENCED)
Report = Callable[[KafkaError | None, Any], None]
Scenario = Callable[[Publisher, "ProducerFactory"], Coroutine[Any, Any, None]]


class FakeProducer:
    """A producer that holds records until a test ends them."""

    def __init__(self, factory: "ProducerFactory") -> None:
        self._factory = factory
        self.pending: list[Report] = []
        self.ended: list[tuple[Report, KafkaError | None]] = []
        self.refusal: Exception | None = None
        self.fatal: Exception | None = None
        self.is_purged = False

    def __len__(self) -> int:
        return len(self.pending) + len(self.ended)

    def __del__(self) -> None:
        self._factory.deleted_in.append(threading.current_thread())

    def produce(self, *_: Any, on_delivery: Report, **__: Any) -> None:
        """Accept a record."""
        if self.refusal:
            raise self.refusal
        self.pending.append(on_delivery)

    def end(self, *errors: KafkaError | None) -> None:
        """End the first records with these errors."""
        for error in errors:
            self.ended.append((self.pending.pop(0), error))

    def poll(self, _: float) -> None:
        """Report."""
        if self.fatal:
            fatal, self.fatal = self.fatal, None
            raise fatal
        ended, self.ended = self.ended, []
        for report, error in ended:
            report(error, None)

    def purge(self, *, blocking: bool) -> None:
        """Purge the pending records."""
        assert not blocking
        self.is_purged = True
        self.end(*[KafkaError(KafkaError._PURGE_INFLIGHT)] * len(self.pending))


class ProducerFactory:
    """The producers that were made and not deleted, oldest first."""

    def __init__(self) -> None:
        self.made = 0
        self.alive: list[FakeProducer] = []
        self.deleted_in: list[threading.Thread] = []

    def make(self, *_: Any, **__: Any) -> FakeProducer:
        """Make another producer."""
        self.made += 1
        self.alive.append(FakeProducer(self))
        return self.alive[-1]


@pytest.fixture(name="run")
def _run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Scenario], ProducerFactory]:
    """Runs a test with a publisher that may replace its producer at any time."""
    factory = ProducerFactory()
    monkeypatch.setattr(publisher, "Producer", factory.make)
    monkeypatch.setattr(producers, "RENEW_AFTER_S", 0)
    monkeypatch.setattr(producers, "RENEWALS", 1e9)
    settings = load(KafkaSettings, {"KAFKA_BOOTSTRAP_SERVERS": "b:9092"})

    def run(test: Scenario) -> ProducerFactory:
        async def work() -> None:
            async with asyncio.timeout(20):
                await test(Publisher(settings, topic="topic"), factory)

        asyncio.run(work())
        return factory

    return run


async def until(condition: Callable[[], bool]) -> None:
    """Let the publisher poll until a condition is true."""
    while not condition():
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "code",
    [
        KafkaError._MSG_TIMED_OUT,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
        KafkaError.UNKNOWN_PRODUCER_ID,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError._FATAL,
    ],
)
def test_after_any_failed_delivery_another_producer_takes_over(
    run: Callable[[Scenario], ProducerFactory], code: int
) -> None:
    """It is ready before the next record; one request is a 503, or all would be from then on."""

    async def test(publisher: Publisher, factory: ProducerFactory) -> None:
        refused = publisher.publish([RECORD])
        factory.alive[0].end(KafkaError(code))
        with pytest.raises(NotAcknowledged):
            await refused
        await until(lambda: factory.made == 2)
        acknowledged = publisher.publish([RECORD])
        factory.alive[-1].end(None)
        await acknowledged

    assert run(test).made == 2


@pytest.mark.parametrize(
    ("refusal", "made"),
    [(KafkaException(KafkaError(KafkaError._FATAL)), 2), (BufferError("queue full"), 1)],
)
def test_a_producer_that_takes_no_record_is_replaced(
    run: Callable[[Scenario], ProducerFactory], refusal: Exception, made: int
) -> None:
    """A full queue is no reason: the new producer's queue would be full too."""

    async def test(publisher: Publisher, factory: ProducerFactory) -> None:
        factory.alive[0].refusal = refusal
        with pytest.raises(NotAcknowledged):
            await publisher.publish([RECORD])
        factory.alive[0].refusal = None
        acknowledged = publisher.publish([RECORD])
        factory.alive[-1].end(None)
        await acknowledged

    assert run(test).made == made


def test_a_fatal_error_is_raised_by_a_poll_and_does_not_end_the_polling(
    run: Callable[[Scenario], ProducerFactory],
) -> None:
    """Each waiting caller gets a result by a report or the deadline; the next record is sent."""

    async def test(publisher: Publisher, factory: ProducerFactory) -> None:
        waiting = publisher.publish([RECORD])
        factory.alive[0].fatal = KafkaException(KafkaError(KafkaError._FATAL))
        await until(lambda: factory.made == 2)
        factory.alive[0].fatal = KafkaException(KafkaError(KafkaError._FATAL))
        await until(lambda: factory.alive[0].fatal is None)
        acknowledged = publisher.publish([RECORD])
        await until(lambda: bool(factory.alive[1].pending))
        factory.alive[1].end(None)
        await acknowledged
        factory.alive[0].end(KafkaError(KafkaError._FATAL))
        with pytest.raises(NotAcknowledged):
            await waiting

    assert run(test).made == 2


def test_records_of_a_replaced_producer_end_with_their_own_reports(
    run: Callable[[Scenario], ProducerFactory],
) -> None:
    """A late acknowledgement counts, and each report is delivered once."""

    async def test(publisher: Publisher, factory: ProducerFactory) -> None:
        first, second, both = (publisher.publish([RECORD] * count) for count in (1, 1, 2))
        old = factory.alive[0]
        await until(lambda: len(old.pending) == 4)
        old.end(FENCED)
        await until(lambda: factory.made == 2)
        third = publisher.publish([RECORD])
        await until(lambda: bool(factory.alive[1].pending))
        factory.alive[1].end(None)
        await third
        assert not second.done()
        old.end(None, None, FENCED)
        await second
        for each in (first, both):
            with pytest.raises(NotAcknowledged, match="PRODUCER_FENCED"):
                await each

    assert run(test).made == 2


def test_a_replaced_producer_is_deleted_by_another_thread(
    run: Callable[[Scenario], ProducerFactory],
) -> None:
    """Once it has no pending reports; its deletion may wait for a name server."""

    async def test(publisher: Publisher, factory: ProducerFactory) -> None:
        refused, other = publisher.publish([RECORD]), publisher.publish([RECORD])
        await until(lambda: len(factory.alive[0].pending) == 2)
        old = factory.alive.pop()
        old.end(FENCED)
        await asyncio.wait([refused])
        await until(lambda: factory.made == 2)
        assert not factory.deleted_in
        old.end(None)
        del old
        await other
        await until(lambda: bool(factory.deleted_in))
        assert factory.deleted_in[0] is not threading.current_thread()
        assert isinstance(refused.exception(), NotAcknowledged)

    run(test)


def test_records_without_a_report_of_a_replaced_producer_are_given_up(
    run: Callable[[Scenario], ProducerFactory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the deadline, when each waiting caller has its result."""
    monkeypatch.setattr(producers, "DRAIN_GRACE_S", -5)

    async def test(publisher: Publisher, factory: ProducerFactory) -> None:
        ends = [publisher.publish([RECORD]) for _ in range(3)]
        old = factory.alive[0]
        await until(lambda: len(old.pending) == 3)
        old.end(FENCED)
        await asyncio.wait(ends)
        assert old.is_purged
        assert all(isinstance(each.exception(), NotAcknowledged) for each in ends)

    run(test)


def test_a_partly_queued_batch_is_refused_and_its_reports_are_polled(
    run: Callable[[Scenario], ProducerFactory],
) -> None:
    """Otherwise their reports would wait for the next request."""

    async def test(publisher: Publisher, factory: ProducerFactory) -> None:
        broken = factory.alive[0]
        take = broken.produce

        def take_one(*args: Any, **more: Any) -> None:
            take(*args, **more)
            broken.refusal = BufferError("queue full")

        broken.produce = take_one  # type: ignore[method-assign]
        with pytest.raises(NotAcknowledged):
            await publisher.publish([RECORD, RECORD])
        broken.end(None)
        await until(lambda: len(broken) == 0)

    run(test)


def test_a_lost_announcement_replaces_the_producer(
    run: Callable[[Scenario], ProducerFactory], caplog: pytest.LogCaptureFixture
) -> None:
    """No caller waits for it, but the next one has to arrive; the error is logged once."""

    async def test(publisher: Publisher, factory: ProducerFactory) -> None:
        publisher.announce([RECORD, RECORD])
        factory.alive[0].end(FENCED, FENCED)
        await until(lambda: factory.made == 2)
        publisher.announce([RECORD])
        factory.alive[1].end(None)
        await until(lambda: len(factory.alive[1]) == 0)

    run(test)
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"]
