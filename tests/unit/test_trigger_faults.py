"""Faults on purpose: what they do, and that a seed repeats them."""

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
class World:
    """A function that takes all, and a clock that only waits move."""

    posts: int = 0
    waits: list[float] = field(default_factory=list)

    def post(self, _: Payload) -> HttpResponse:
        """Take a payload."""
        self.posts += 1
        return HttpResponse(200, b"")

    def wait(self, seconds: float) -> bool:
        """Note how long."""
        self.waits.append(seconds)
        return False

    def faulty(self, seed: int = 1, **rates: float) -> FaultyTransport:
        """A transport to it with faults."""
        kinds: dict[Kind, float] = {
            kind: rates.get(kind.replace("-", "_"), 0)
            for kind in ("duplicate", "delay", "drop-answer")
        }
        return FaultyTransport(self, kinds, random.Random(seed), self.wait)


def test_a_duplicate_is_posted_twice_and_answered_once() -> None:
    """The function has it twice."""
    world = World()
    assert world.faulty(duplicate=1).post(PAYLOAD) == HttpResponse(200, b"")
    assert world.posts == 2


def test_an_answer_is_dropped_after_the_work_was_done() -> None:
    """To the trigger it looks like a broken connection."""
    world = World()
    with pytest.raises(NoResponse, match="on purpose"):
        world.faulty(drop_answer=1).post(PAYLOAD)
    assert world.posts == 1


def test_a_delay_waits_before_it_posts() -> None:
    """Some seconds, and not for ever."""
    world = World()
    faulty = world.faulty(delay=1)
    for _ in range(100):
        faulty.post(PAYLOAD)
    assert len(set(world.waits)) == 100
    assert 0 <= min(world.waits) < 0.5
    assert 2.5 < max(world.waits) <= 3


def history(seed: int, **rates: float) -> list[int]:
    """How many posts there were after each of a number."""
    world = World()
    faulty = world.faulty(seed, **rates)
    told = []
    for _ in range(200):
        faulty.post(PAYLOAD)
        told.append(world.posts)
    return told


def test_a_rate_is_kept_and_a_seed_repeats_the_faults() -> None:
    """Also when another kind is switched on beside."""
    assert 20 < history(1, duplicate=0.2)[-1] - 200 < 60
    assert history(1, duplicate=0.2) == history(1, duplicate=0.2, delay=0.5)
    assert history(1, duplicate=0.2) != history(2, duplicate=0.2)
    assert history(1)[-1] == 200


def test_faults_are_told_aloud_with_their_seed(caplog: pytest.LogCaptureFixture) -> None:
    """Drawn or given; without any there is nothing between the trigger and its function."""
    world = World()
    assert fault_injection([], 1) is NO_FAULTS
    assert NO_FAULTS.wrap_transport(world, "one", 0, world.wait) is world
    assert not caplog.records
    fault_injection([Fault("delay", 0.5)], None)
    [line] = caplog.records
    assert "FAULTS ARE ON" in line.message
    assert line.__dict__["fields"]["faults"] == {"delay": 0.5}
    assert line.__dict__["fields"]["seed"] >= 0


def test_a_partition_goes_on_with_its_faults_when_it_is_assigned_again() -> None:
    """It does not begin anew; another partition has others."""
    world = World()
    disturbed = fault_injection([Fault("duplicate", 0.5)], 3)

    def count(number: int) -> list[int]:
        told = []
        for _ in range(20):
            before = world.posts
            disturbed.wrap_transport(world, "one", number, world.wait).post(PAYLOAD)
            told.append(world.posts - before)
        return told

    first, second, other = count(0), count(0), count(1)
    assert first != second
    assert first != other


@pytest.mark.parametrize(
    "text", ["duplicate", "delay:2", "delay:-1", "delay:x", "no:1", ":", "delay:nan"]
)
def test_what_is_no_fault_is_refused(text: str) -> None:
    """With the kinds that there are."""
    with pytest.raises(argparse.ArgumentTypeError, match="drop-answer"):
        parse_fault(text)
    assert parse_fault("drop-answer:0.25") == Fault("drop-answer", 0.25)
