"""Injects the faults of networks and groups, to prove a function idempotent."""

import argparse
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from confluent_kafka import Consumer

from local.kafka_trigger.delivering.context import Wait
from local.kafka_trigger.delivering.transport import Transport
from local.kafka_trigger.faults.faulty_transport import KINDS, FaultyTransport, Kind
from local.kafka_trigger.faults.rebalancing_consumer import RebalancingConsumer

SEEDS = 2**32

log = logging.getLogger(__name__)


class Fault(NamedTuple):
    """A kind of fault, and its rate: 1 is always."""

    kind: Kind
    rate: float


def _unchanged(transport: Transport, *_: object) -> Transport:
    return transport


@dataclass(frozen=True)
class FaultInjection:
    """The makers of a trigger's clients; without faults, they change nothing.

    `wrap_transport` gets a transport, the trigger's name, the partition, and a function that waits
    some seconds, or less if the partition is revoked; `make_consumer` gets the arguments of
    `confluent_kafka.Consumer`.
    """

    wrap_transport: Callable[[Transport, str, int, Wait], Transport] = _unchanged
    make_consumer: Callable[..., Consumer] = Consumer


NO_FAULTS = FaultInjection()


def parse_fault(text: str) -> Fault:
    """Parse `KIND:RATE`; raises ArgumentTypeError."""
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
    """Return what injects these faults, the same ones for the same seed."""
    if not faults:
        return NO_FAULTS
    seed = random.randrange(SEEDS) if seed is None else seed  # noqa: S311 (no secret)
    rates = {each.kind: each.rate for each in faults}
    fields = {"faults": rates, "seed": seed}
    log.warning("FAULTS ARE ON: this trigger disturbs its function", extra={"fields": fields})
    chances: dict[tuple[str, int], random.Random] = {}

    def wrap_transport(transport: Transport, trigger: str, partition: int, wait: Wait) -> Transport:
        chance = chances.setdefault(
            (trigger, partition),
            random.Random(f"{seed} {trigger} {partition}"),  # noqa: S311 (no secret)
        )
        return FaultyTransport(transport, rates, chance, wait)

    make_consumer = partial(
        RebalancingConsumer,
        rate=rates.get("rebalance", 0),
        chance=random.Random(seed),  # noqa: S311 (no secret)
    )
    return FaultInjection(wrap_transport, make_consumer)
