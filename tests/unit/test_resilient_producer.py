"""The producer of dead letters after errors."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from local.kafka_trigger.kafka.producer import ResilientProducer

FENCED = KafkaError(KafkaError.PRODUCER_FENCED)


class FakeProducer:
    """Reports records with `end` when it is polled; while it holds, it reports none."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.login = settings.get("sasl.password")
        self.end: KafkaError | None = None
        self.holds = False
        self.refusal: Exception | None = None
        self.fatal: Exception | None = None
        self._lock = threading.Lock()
        self._callbacks: list[Callable[..., None]] = []

    def __len__(self) -> int:
        return len(self._callbacks)

    def produce(self, _: str, on_delivery: Callable[..., None], **__: Any) -> None:
        """Accept a record."""
        if self.refusal:
            raise self.refusal
        self._callbacks.append(on_delivery)

    def poll(self, _: float) -> int:
        """Report results."""
        if self.fatal:
            error, self.fatal = self.fatal, None
            raise error
        if self.holds:
            return 0
        with self._lock:
            callbacks, self._callbacks = self._callbacks, []
        for report in callbacks:
            report(self.end, None)
        return len(callbacks)

    def set_sasl_credentials(self, _: str, password: str) -> None:
        """Use another password."""
        self.login = password


class ProducerHarness:
    """A producer, its clients, and the results that were reported."""

    def __init__(self, renew_after_s: float = 0) -> None:
        self.clients: list[FakeProducer] = []
        self.ends: dict[int, list[KafkaError | None]] = {}
        self.producer = ResilientProducer({}, self.make, renew_after_s)

    def make(self, settings: dict[str, Any]) -> Producer:
        """Make a client."""
        self.clients.append(FakeProducer(settings))
        return cast(Producer, self.clients[-1])

    def write(self, number: int) -> None:
        """Write a record."""
        self.ends[number] = []
        self.producer.produce("dlq", on_delivery=partial(self._ended, number))

    def hold(self, producer: FakeProducer, number: int) -> None:
        """Have a client hold a record, as while it retries."""
        self.ends[number] = []
        producer.produce("dlq", on_delivery=partial(self._ended, number))

    def _ended(self, number: int, error: KafkaError | None, _: Any) -> None:
        self.ends[number].append(error)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_record_after_a_failed_one_goes_to_another_client(*, at_once: bool) -> None:
    """Whether the failure is raised, or reported later."""
    harness = ProducerHarness()
    harness.clients[0].end = FENCED
    if at_once:
        harness.clients[0].refusal = KafkaException(FENCED)
        with pytest.raises(KafkaException):
            harness.write(0)
    else:
        harness.write(0)
        harness.producer.poll(0)
        assert harness.ends[0] == [FENCED]
    harness.write(1)
    harness.producer.poll(0)
    harness.write(2)
    harness.producer.poll(0)
    assert harness.ends[1] == harness.ends[2] == [None]
    assert len(harness.clients) == 2


@pytest.mark.parametrize("name", ["poll", "flush"])
def test_records_of_a_replaced_client_are_still_reported(name: str) -> None:
    """Once, with that client's result."""
    harness = ProducerHarness()
    old = harness.clients[0]
    old.end = FENCED
    harness.write(0)
    harness.producer.poll(0)
    old.end, old.holds = None, True
    harness.hold(old, 1)
    harness.write(2)
    harness.producer.poll(0)
    assert harness.ends == {0: [FENCED], 1: [], 2: [None]}
    assert len(harness.producer) == 1
    old.holds = False
    call = {"poll": lambda: harness.producer.poll(0), "flush": harness.producer.flush}[name]
    for _ in range(3):
        call()
    assert harness.ends[1] == [None]
    assert len(harness.producer) == 0


@pytest.mark.parametrize("name", ["poll", "flush"])
def test_a_fatal_error_within_a_poll_is_not_raised(name: str) -> None:
    """The next poll reports its records, and another client replaces it."""
    harness = ProducerHarness()
    harness.clients[0].fatal, harness.clients[0].end = KafkaException(FENCED), FENCED
    harness.write(0)
    call = {"poll": lambda: harness.producer.poll(0), "flush": harness.producer.flush}[name]
    while not harness.ends[0]:
        call()
    harness.write(1)
    call()
    assert harness.ends == {0: [FENCED], 1: [None]}


def test_a_changed_password_is_that_of_the_next_client_too() -> None:
    """Else the broker would reject it, for ever."""
    harness = ProducerHarness()
    harness.producer.set_sasl_credentials("me", "changed")
    harness.clients[0].end = FENCED
    harness.write(0)
    harness.producer.poll(0)
    harness.write(1)
    assert [each.login for each in harness.clients] == ["changed", "changed"]


def test_a_client_is_not_replaced_for_each_record() -> None:
    """A broker that rejects all is not flooded with connections."""
    harness = ProducerHarness(renew_after_s=3600)
    harness.clients[0].end = FENCED
    for number in range(100):
        harness.write(number)
        harness.producer.poll(0)
    assert len(harness.clients) == 1


def test_threads_may_share_it_while_it_is_replaced() -> None:
    """Each record is reported once, whichever thread polls."""
    harness = ProducerHarness()

    def write(thread: int) -> None:
        for step in range(300):
            number = 300 * thread + step
            harness.write(number)
            if step % 7 == 0:
                harness.clients[-1].end = FENCED
            while not harness.ends[number]:
                harness.producer.poll(0)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert Counter(map(len, harness.ends.values())) == {1: 2400}
    assert len(harness.clients) > 8
    assert len(harness.producer) == 0
