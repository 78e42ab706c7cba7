"""How old a record is."""

from local.kafka_trigger.consuming.record import Record


def age_s(record: Record, now: float) -> float | None:
    """The seconds since a record's own time stamp, if it has one; `now` is the time of day."""
    kind, milliseconds = record.timestamp()
    return max(now - milliseconds / 1000, 0) if kind else None
