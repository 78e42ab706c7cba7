"""A consumer that causes rebalances."""

import logging
import random
from collections.abc import Callable
from functools import partial
from typing import Any

from confluent_kafka import Consumer, Message

log = logging.getLogger(__name__)


class RebalancingConsumer(Consumer):
    """Leaves its group and joins it again, at a rate of the times when it receives records."""

    def __init__(self, *arguments: Any, rate: float, chance: random.Random, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._rate = rate
        self._chance = chance
        self._join: Callable[[], None] = lambda: None

    def subscribe(self, topics: list[str], *callbacks: Any, **more: Any) -> None:
        """Join the group, and remember the arguments."""
        self._join = partial(super().subscribe, topics, *callbacks, **more)
        self._join()

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """Return what was received; there may be a rebalance after it."""
        messages = super().consume(num_messages, timeout)
        if messages and self._chance.random() < self._rate:
            log.warning("fault on purpose", extra={"fields": {"fault": "rebalance"}})
            self.unsubscribe()
            self._join()
        return messages
