"""Parsing the dead letters that this trigger writes: the original record with more headers."""

import re

from local.kafka_trigger.commands.dead_letters.stored_dead_letter import (
    FailureMetadata,
    RecordContent,
    StoredDeadLetter,
)
from local.kafka_trigger.delivering.dead_letter import PREFIX
from local.kafka_trigger.record import Record


def parse_dead_letter(record: Record) -> StoredDeadLetter | None:
    """Parse a record of a dead-letter topic; None if no trigger wrote it."""
    metadata = {
        name.removeprefix(PREFIX): (value or b"").decode(errors="replace")
        for name, value in record.headers() or ()
        if name.startswith(PREFIX)
    }
    partition, offset = _integer(metadata.get("partition")), _integer(metadata.get("offset"))
    if partition is None or offset is None or not metadata.keys() >= {"topic", "trigger"}:
        return None
    return StoredDeadLetter(
        dlq_record=record,
        topic=metadata["topic"],
        partition=partition,
        offset=offset,
        original=None if "omitted" in metadata else RecordContent.of(record),
        failure=FailureMetadata(
            trigger=metadata["trigger"],
            status=metadata.get("status"),
            attempts=metadata.get("attempts"),
            error=metadata.get("error"),
            time=metadata.get("time"),
        ),
        omitted=metadata.get("omitted"),
        original_bytes=_integer(metadata.get("record_bytes")),
        original_timestamp=_integer(metadata.get("record_timestamp")),
    )


def _integer(text: str | None) -> int | None:
    """Parse an integer of 64 bits; None for any other text: anyone may write to the topic."""
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,18}", text) else None
