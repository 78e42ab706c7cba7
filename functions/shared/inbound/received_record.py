"""What was delivered: records as functions take them, whatever envelope they came in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.shared.observability import trace

NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
TOPIC_LIMIT = 249  # characters: Kafka's own


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """One record: its data, parsed if it is JSON, and how to name it among others to the sender.

    One that came alone needs no name: there the answer's status tells what became of it.
    `unreadable` says why there is no data, where the value could not be read.
    """

    data: Any
    traceparent: str | None
    identifier: Mapping[str, Any] | None
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that can never be taken, and why."""

    delivery: ReceivedRecord
    reason: str


def place(topic: Any, partition: Any, offset: Any) -> Mapping[str, Any] | None:
    """How the sender knows a record, if it said so; never made up."""
    if not isinstance(topic, str) or len(topic) > TOPIC_LIMIT:
        return None
    numbers = [_number(each) for each in (partition, offset)]
    if None in numbers:
        return None
    return {"partition": f"{topic}-{numbers[0]}", "offset": numbers[1]}


def _number(value: Any) -> int | None:
    """A number that came as one or as text; whatever else it is, it is not looked into."""
    text = str(value) if isinstance(value, int | str) else ""
    return int(text) if NUMBER.fullmatch(text) else None


def traceparent_of(*candidates: Any) -> str | None:
    """The first of these that is a traceparent, without what a later version may add to it."""
    for each in candidates:
        if isinstance(each, str) and trace.is_valid(each):
            return each[: trace.LENGTH]
    return None
