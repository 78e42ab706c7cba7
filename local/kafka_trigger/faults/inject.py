"""Faults on purpose: what a network and a group do to a function, to prove it idempotent."""

import argparse
import logging
import random
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple, get_args

from local.kafka_trigger.delivering.delivery import Posts
from local.kafka_trigger.delivering.transport import Broken, HttpResponse
from local.kafka_trigger.envelopes.payload import Payload
from local.kafka_trigger.faults.fault_injection import NONE, FaultInjection, Wait
from local.kafka_trigger.faults.rebalancing_consumer import RebalancingConsumer

LONGEST_DELAY_S = 3.0
SEEDS = 2**32

Kind = Literal["duplicate", "delay", "drop-answer", "rebalance"]
KINDS: tuple[Kind, ...] = get_args(Kind)

log = logging.getLogger(__name__)


class Fault(NamedTuple):
    """A kind of fault, and how often it comes: of 1 it is always."""

    kind: Kind
    rate: float


def fault(text: str) -> Fault:
    """Read `KIND:RATE`."""
    name, _, rate = text.partition(":")
    kind = next((each for each in KINDS if each == name), None)
    try:
        number = float(rate)
    except ValueError:
        number = -1
    if kind is None or not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not KIND:RATE, such as duplicate:0.1, of {', '.join(KINDS)}"
        )
    return Fault(kind, number)


def fault_injection(faults: Sequence[Fault], seed: int | None) -> FaultInjection:
    """What brings these faults, the same ones for the same seed; nothing if there are none."""
    if not faults:
        return NONE
    seed = random.randrange(SEEDS) if seed is None else seed  # noqa: S311 (no secret)
    rates = {each.kind: each.rate for each in faults}
    told = {"faults": rates, "seed": seed}
    log.warning("FAULTS ARE ON: this trigger disturbs its function", extra={"fields": told})
    chances: dict[tuple[str, int], random.Random] = {}

    def around(posts: Posts, trigger: str, number: int, wait: Wait) -> Posts:
        chance = chances.setdefault(
            (trigger, number),
            random.Random(f"{seed} {trigger} {number}"),  # noqa: S311 (no secret)
        )
        return FaultyPosts(posts, rates, chance, wait)

    consumer = partial(
        RebalancingConsumer,
        rate=rates.get("rebalance", 0),
        chance=random.Random(seed),  # noqa: S311 (no secret)
    )
    return FaultInjection(around, consumer)


class FaultyPosts:
    """A transport that delays, doubles, and loses answers.

    Each post draws each of its chances, so that one kind's rate does not move the others' faults.
    """

    def __init__(
        self, posts: Posts, rates: Mapping[Kind, float], chance: random.Random, wait: Wait
    ) -> None:
        self._posts = posts
        self._rates = rates
        self._chance = chance
        self._wait = wait

    def post(self, payload: Payload) -> HttpResponse:
        """Post a payload, once or twice, now or later; raises Broken for an answer lost."""
        delays, seconds = self._comes("delay"), self._chance.random() * LONGEST_DELAY_S
        doubles, loses = self._comes("duplicate"), self._comes("drop-answer")
        if delays:
            _say("delay", seconds=round(seconds, 3))
            self._wait(seconds)
        if doubles:
            _say("duplicate")
            self._posts.post(payload)
        answer = self._posts.post(payload)
        if loses:
            _say("drop-answer", status=answer.status)
            raise Broken("the answer was lost: a fault on purpose")
        return answer

    def _comes(self, kind: Kind) -> bool:
        return self._chance.random() < self._rates.get(kind, 0)


def _say(kind: Kind, **fields: object) -> None:
    log.warning("fault on purpose", extra={"fields": {"fault": kind, **fields}})
