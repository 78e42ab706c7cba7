"""A part of a batch on its way to a function."""

from collections.abc import Sequence
from dataclasses import dataclass

from local.kafka_trigger.consuming.record import Record


@dataclass(slots=True)
class BatchSlice:
    """Records of a batch that are delivered together.

    `attempts` are the deliveries that count, `tries` all of them, `since` when the first began;
    `has_gaps` if a record after one of these is settled.
    """

    records: Sequence[Record]
    since: float
    attempts: int = 0
    tries: int = 0
    has_gaps: bool = False

    def of(self, records: Sequence[Record]) -> "BatchSlice":
        """Some of the records that follow each other, with the history of all."""
        return BatchSlice(records, self.since, self.attempts, self.tries, self.has_gaps)

    def rest(self, records: Sequence[Record]) -> "BatchSlice":
        """The records that are left, where the others are settled."""
        rest = self.of(records)
        rest.has_gaps = self.has_gaps or records[0] is not self.records[-len(records)]
        return rest
