"""A part of a batch on its way to a function."""

from collections.abc import Sequence
from dataclasses import dataclass

from local.kafka_trigger.record import Record


@dataclass(slots=True)
class Part:
    """Records of a batch that are delivered together.

    `attempts` are the deliveries that count, `tries` all of them, `since` when the first began.
    """

    records: Sequence[Record]
    since: float
    attempts: int = 0
    tries: int = 0

    def of(self, records: Sequence[Record]) -> "Part":
        """Some of the records, with the history of all."""
        return Part(records, self.since, self.attempts, self.tries)
