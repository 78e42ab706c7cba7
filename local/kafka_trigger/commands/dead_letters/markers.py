"""Markers: records in a dead-letter topic that say that a dead letter is redriven or discarded."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from local.kafka_trigger.commands.dead_letters.acknowledged_writer import OutgoingRecord
from local.kafka_trigger.commands.dead_letters.stored_dead_letter import StoredDeadLetter
from local.kafka_trigger.delivering.dead_letter import PREFIX
from local.kafka_trigger.record import Record

Resolution = Literal["redriven", "discarded"]
# By the name of a marker's header, whose value is the ID of the dead letter.
RESOLUTIONS: Mapping[str, Resolution] = {f"{PREFIX}{each}": each for each in get_args(Resolution)}


class Marker(NamedTuple):
    """The ID of a dead letter, and how it was resolved."""

    dead_letter_id: str
    resolution: Resolution


def parse_marker(record: Record) -> Marker | None:
    """Parse a record of a dead-letter topic; None if it is no marker."""
    for name, value in record.headers() or ():
        if name in RESOLUTIONS and value:
            return Marker(value.decode(errors="replace"), RESOLUTIONS[name])
    return None


def marker_record(
    dead_letter: StoredDeadLetter, dlq_topic: str, resolution: Resolution, now: datetime
) -> OutgoingRecord:
    """Return the marker to write; it has a key of its own and a value, so compaction keeps it."""
    document = {resolution: dead_letter.id, "time": now.isoformat(timespec="milliseconds")}
    header = f"{PREFIX}{resolution}"
    return OutgoingRecord(
        topic=dlq_topic,
        partition=dead_letter.dlq_record.partition(),
        key=f"{header} {dead_letter.id}".encode(),
        value=json.dumps(document).encode(),
        headers=[(header, dead_letter.id)],
    )
