"""A transport with the faults of a network."""

import logging
import random
from collections.abc import Mapping
from typing import Literal, get_args

from local.kafka_trigger.delivering.context import Wait
from local.kafka_trigger.delivering.transport import HttpResponse, NoResponse, Transport
from local.kafka_trigger.envelopes.payload import Payload

MAX_DELAY_S = 3.0

Kind = Literal["duplicate", "delay", "drop-answer", "rebalance"]
KINDS: tuple[Kind, ...] = get_args(Kind)

log = logging.getLogger(__name__)


class FaultyTransport:
    """Delays and duplicates requests, and drops responses.

    Each request draws a number for each of its kinds of fault, so that the rate of one kind does
    not change the faults of another.
    """

    def __init__(
        self, transport: Transport, rates: Mapping[Kind, float], chance: random.Random, wait: Wait
    ) -> None:
        self._transport = transport
        self._rates = rates
        self._chance = chance
        self._wait = wait

    def post(self, payload: Payload) -> HttpResponse:
        """Send a payload, perhaps late or twice; raises NoResponse for a dropped response."""
        is_delayed, delay_s = self._draw("delay"), self._chance.random() * MAX_DELAY_S
        is_duplicated, is_dropped = self._draw("duplicate"), self._draw("drop-answer")
        if is_delayed:
            _log("delay", seconds=round(delay_s, 3))
            self._wait(delay_s)
        if is_duplicated:
            _log("duplicate")
            self._transport.post(payload)
        response = self._transport.post(payload)
        if is_dropped:
            _log("drop-answer", status=response.status)
            raise NoResponse("the answer was lost: a fault on purpose")
        return response

    def _draw(self, kind: Kind) -> bool:
        return self._chance.random() < self._rates.get(kind, 0)


def _log(kind: Kind, **fields: object) -> None:
    log.warning("fault on purpose", extra={"fields": {"fault": kind, **fields}})
