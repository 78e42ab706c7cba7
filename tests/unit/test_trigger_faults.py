"""Injected faults: their effects, and that a seed repeats them."""

import argparse
import random
from dataclasses import dataclass, field

import pytest

from local.kafka_trigger.delivering.transport import HttpResponse, NoResponse
from local.kafka_trigger.envelopes.payload import Payload
from local.kafka_trigger.faults.fault_injection import (
    NO_FAULTS,
    Fault,
    fault_injection,
    parse_fault,
)
from local.kafka_trigger.faults.faulty_transport import FaultyTransport, Kind

PAYLOAD = Payload("application/json", b"[]")


@dataclass
class FakeFunction:
    """A function that accepts all, and a clock that only waits advance."""

    requests: int = 0
    waits: list[float] = field(default_factory=list)

    def post(self, _: Payload) -> HttpResponse:
        """Accept a payload."""
        self.requests += 1
        return HttpResponse(200, b"")

    def wait(self, seconds: float) -> bool:
        """Record the seconds."""
        self.waits.append(seconds)
        return False

    def faulty(self, seed: int = 1, **rates: float) -> FaultyTransport:
        """A transport to it with faults."""
        kinds: dict[Kind, float] = {
            kind: rates.get(kind.replace("-", "_"), 0)
            for kind in ("duplicate", "delay", "drop-answer")
        }
        return FaultyTransport(self, kinds, random.Random(seed), self.wait)


def test_a_duplicate_is_sent_twice() -> None:
    """The function gets it twice, and the trigger one response."""
    function = FakeFunction()
    assert function.faulty(duplicate=1).post(PAYLOAD) == HttpResponse(200, b"")
    assert function.requests == 2


def test_a_response_is_dropped_after_the_request() -> None:
    """To the trigger it looks like a broken connection."""
    function = FakeFunction()
    with pytest.raises(NoResponse, match="on purpose"):
        function.faulty(drop_answer=1).post(PAYLOAD)
    assert function.requests == 1


def test_a_delay_waits_before_the_request() -> None:
    """Up to some seconds."""
    function = FakeFunction()
    faulty = function.faulty(delay=1)
    for _ in range(100):
        faulty.post(PAYLOAD)
    assert len(set(function.waits)) == 100
    assert 0 <= min(function.waits) < 0.5
    assert 2.5 < max(function.waits) <= 3


def history(seed: int, **rates: float) -> list[int]:
    """The number of requests after each payload."""
    function = FakeFunction()
    faulty = function.faulty(seed, **rates)
    counts = []
    for _ in range(200):
        faulty.post(PAYLOAD)
        counts.append(function.requests)
    return counts


def test_a_seed_repeats_the_faults_at_their_rate() -> None:
    """Also when another kind is added."""
    assert 20 < history(1, duplicate=0.2)[-1] - 200 < 60
    assert history(1, duplicate=0.2) == history(1, duplicate=0.2, delay=0.5)
    assert history(1, duplicate=0.2) != history(2, duplicate=0.2)
    assert history(1)[-1] == 200


def test_faults_are_logged_with_their_seed(caplog: pytest.LogCaptureFixture) -> None:
    """Random or given; without faults, the transport is unchanged."""
    function = FakeFunction()
    assert fault_injection([], 1) is NO_FAULTS
    assert NO_FAULTS.wrap_transport(function, "one", 0, function.wait) is function
    assert not caplog.records
    fault_injection([Fault("delay", 0.5)], None)
    [line] = caplog.records
    assert "FAULTS ARE ON" in line.message
    assert line.__dict__["fields"]["faults"] == {"delay": 0.5}
    assert line.__dict__["fields"]["seed"] >= 0


def test_faults_of_a_partition_continue_after_an_assignment() -> None:
    """They do not start again; another partition has others."""
    function = FakeFunction()
    disturbed = fault_injection([Fault("duplicate", 0.5)], 3)

    def count(number: int) -> list[int]:
        counts = []
        for _ in range(20):
            before = function.requests
            disturbed.wrap_transport(function, "one", number, function.wait).post(PAYLOAD)
            counts.append(function.requests - before)
        return counts

    first, second, other = count(0), count(0), count(1)
    assert first != second
    assert first != other


@pytest.mark.parametrize(
    "text", ["duplicate", "delay:2", "delay:-1", "delay:x", "no:1", ":", "delay:nan"]
)
def test_an_invalid_fault_is_rejected(text: str) -> None:
    """With the kinds that exist."""
    with pytest.raises(argparse.ArgumentTypeError, match="drop-answer"):
        parse_fault(text)
    assert parse_fault("drop-answer:0.25") == Fault("drop-answer", 0.25)
