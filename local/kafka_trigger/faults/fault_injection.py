"""What may be put between a trigger and the two that it talks to."""

from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import Consumer

from local.kafka_trigger.delivering.delivery import Posts

Wait = Callable[[float], bool]


def _as_it_is(posts: Posts, *_: object) -> Posts:
    return posts


@dataclass(frozen=True)
class FaultInjection:
    """How a trigger's clients are made: as they are, unless faults are asked for.

    `around` gets a transport, its trigger's name, its partition, and how to wait until the
    partition goes; `consumer` gets what `confluent_kafka.Consumer` does.
    """

    around: Callable[[Posts, str, int, Wait], Posts] = _as_it_is
    consumer: Callable[..., Consumer] = Consumer


NONE = FaultInjection()
