"""A publisher whose producer has failed: another takes its place, and nothing is lost by it."""

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
Scenario = Callable[[Publisher, "Fakes"], Coroutine[Any, Any, None]]


class FakeProducer:
    """Holds records until it is told how they end."""

    def __init__(self, fakes: "Fakes") -> None:
        self._fakes = fakes
        self.pending: list[Report] = []
        self.ended: list[tuple[Report, KafkaError | None]] = []
        self.refusal: Exception | None = None
        self.fatal: Exception | None = None
        self.is_purged = False

    def __len__(self) -> int:
        return len(self.pending) + len(self.ended)

    def __del__(self) -> None:
        self._fakes.gone_in.append(threading.current_thread())

    def produce(self, *_: Any, on_delivery: Report, **__: Any) -> None:
        """Take a record."""
        if self.refusal:
            raise self.refusal
        self.pending.append(on_delivery)

    def end(self, *errors: KafkaError | None) -> None:
        """Have the first records end so."""
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
        """Give up what is held."""
        assert not blocking
        self.is_purged = True
        self.end(*[KafkaError(KafkaError._PURGE_INFLIGHT)] * len(self.pending))


class Fakes:
    """The producers that were made and not let go, oldest first."""

    def __init__(self) -> None:
        self.made = 0
        self.alive: list[FakeProducer] = []
        self.gone_in: list[threading.Thread] = []

    def make(self, *_: Any, **__: Any) -> FakeProducer:
        """Another one."""
        self.made += 1
        self.alive.append(FakeProducer(self))
        return self.alive[-1]


@pytest.fixture(name="run")
def _run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Scenario], Fakes]:
    """Runs a test with a publisher that may replace its producer at any time."""
    fakes = Fakes()
    monkeypatch.setattr(publisher, "Producer", fakes.make)
    monkeypatch.setattr(producers, "RENEW_AFTER_S", 0)
    monkeypatch.setattr(producers, "RENEWALS", 1e9)
    settings = load(KafkaSettings, {"KAFKA_BOOTSTRAP_SERVERS": "b:9092"})

    def run(test: Scenario) -> Fakes:
        async def work() -> None:
            async with asyncio.timeout(20):
                await test(Publisher(settings, topic="topic"), fakes)

        asyncio.run(work())
        return fakes

    return run


async def until(condition: Callable[[], bool]) -> None:
    """Let the publisher poll until it holds."""
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
def test_whatever_a_delivery_ends_with_another_producer_takes_over(
    run: Callable[[Scenario], Fakes], code: int
) -> None:
    """It is there before the next record is; one request is a 503, else each would be, for ever."""

    async def test(publisher: Publisher, fakes: Fakes) -> None:
        refused = publisher.publish([RECORD])
        fakes.alive[0].end(KafkaError(code))
        with pytest.raises(NotAcknowledged):
            await refused
        await until(lambda: fakes.made == 2)
        acknowledged = publisher.publish([RECORD])
        fakes.alive[-1].end(None)
        await acknowledged

    assert run(test).made == 2


@pytest.mark.parametrize(
    ("refusal", "made"),
    [(KafkaException(KafkaError(KafkaError._FATAL)), 2), (BufferError("queue full"), 1)],
)
def test_a_producer_that_takes_no_record_is_replaced(
    run: Callable[[Scenario], Fakes], refusal: Exception, made: int
) -> None:
    """But not for a queue that is full: that of a new one would be, too."""

    async def test(publisher: Publisher, fakes: Fakes) -> None:
        fakes.alive[0].refusal = refusal
        with pytest.raises(NotAcknowledged):
            await publisher.publish([RECORD])
        fakes.alive[0].refusal = None
        acknowledged = publisher.publish([RECORD])
        fakes.alive[-1].end(None)
        await acknowledged

    assert run(test).made == made


def test_a_fatal_error_is_raised_by_a_poll_and_does_not_end_the_polling(
    run: Callable[[Scenario], Fakes],
) -> None:
    """Whoever waits is told, by a report or by the deadline, and the next record goes through."""

    async def test(publisher: Publisher, fakes: Fakes) -> None:
        waiting = publisher.publish([RECORD])
        fakes.alive[0].fatal = KafkaException(KafkaError(KafkaError._FATAL))
        await until(lambda: fakes.made == 2)
        fakes.alive[0].fatal = KafkaException(KafkaError(KafkaError._FATAL))
        await until(lambda: fakes.alive[0].fatal is None)
        acknowledged = publisher.publish([RECORD])
        await until(lambda: bool(fakes.alive[1].pending))
        fakes.alive[1].end(None)
        await acknowledged
        fakes.alive[0].end(KafkaError(KafkaError._FATAL))
        with pytest.raises(NotAcknowledged):
            await waiting

    assert run(test).made == 2


def test_records_of_a_replaced_producer_end_with_their_own_reports(
    run: Callable[[Scenario], Fakes],
) -> None:
    """Acknowledged late, but acknowledged: and each report is told once."""

    async def test(publisher: Publisher, fakes: Fakes) -> None:
        first, second, both = (publisher.publish([RECORD] * count) for count in (1, 1, 2))
        old = fakes.alive[0]
        await until(lambda: len(old.pending) == 4)
        old.end(FENCED)
        await until(lambda: fakes.made == 2)
        third = publisher.publish([RECORD])
        await until(lambda: bool(fakes.alive[1].pending))
        fakes.alive[1].end(None)
        await third
        assert not second.done()
        old.end(None, None, FENCED)
        await second
        for each in (first, both):
            with pytest.raises(NotAcknowledged, match="PRODUCER_FENCED"):
                await each

    assert run(test).made == 2


def test_a_replaced_producer_is_let_go_by_another_thread(run: Callable[[Scenario], Fakes]) -> None:
    """Once it has nothing left to report; its end may take as long as a name server does."""

    async def test(publisher: Publisher, fakes: Fakes) -> None:
        refused, other = publisher.publish([RECORD]), publisher.publish([RECORD])
        await until(lambda: len(fakes.alive[0].pending) == 2)
        old = fakes.alive.pop()
        old.end(FENCED)
        await asyncio.wait([refused])
        await until(lambda: fakes.made == 2)
        assert not fakes.gone_in
        old.end(None)
        del old
        await other
        await until(lambda: bool(fakes.gone_in))
        assert fakes.gone_in[0] is not threading.current_thread()
        assert isinstance(refused.exception(), NotAcknowledged)

    run(test)


def test_what_a_replaced_producer_never_reports_is_given_up(
    run: Callable[[Scenario], Fakes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the deadline, when whoever waited for it has been told."""
    monkeypatch.setattr(producers, "DRAIN_GRACE_S", -5)

    async def test(publisher: Publisher, fakes: Fakes) -> None:
        ends = [publisher.publish([RECORD]) for _ in range(3)]
        old = fakes.alive[0]
        await until(lambda: len(old.pending) == 3)
        old.end(FENCED)
        await asyncio.wait(ends)
        assert old.is_purged
        assert all(isinstance(each.exception(), NotAcknowledged) for each in ends)

    run(test)


def test_a_batch_that_is_taken_in_part_is_refused_and_its_records_are_polled_for(
    run: Callable[[Scenario], Fakes],
) -> None:
    """Their reports would else wait for the next request."""

    async def test(publisher: Publisher, fakes: Fakes) -> None:
        broken = fakes.alive[0]
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


def test_an_announcement_that_is_lost_has_the_producer_replaced(
    run: Callable[[Scenario], Fakes], caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for it, but the next one is to arrive; the log says once what happened."""

    async def test(publisher: Publisher, fakes: Fakes) -> None:
        publisher.announce([RECORD, RECORD])
        fakes.alive[0].end(FENCED, FENCED)
        await until(lambda: fakes.made == 2)
        publisher.announce([RECORD])
        fakes.alive[1].end(None)
        await until(lambda: len(fakes.alive[1]) == 0)

    run(test)
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"]
