"""Records as functions receive them, in whichever envelope."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.shared.observability import trace

DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)
MAX_TOPIC_LENGTH = 249  # characters: Kafka's own limit


@dataclass(frozen=True, slots=True)
class ReceivedRecord:
    """A record: its parsed JSON, its trace, and the identifier by which the sender knows it.

    A record that is not part of a batch needs no identifier: the response's status is about it
    alone. `decode_error` says why there is no data, if the value could not be decoded.
    """

    data: Any
    traceparent: str | None
    identifier: Mapping[str, Any] | None
    decode_error: str | None = None


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record that no retry will make valid, and why."""

    record: ReceivedRecord
    reason: str


def record_identifier(topic: Any, partition: Any, offset: Any) -> Mapping[str, Any] | None:
    """Return the identifier of a record in a batch, as AWS Lambda has it; None if it is not known.

    It is `{"partition": "topic-0", "offset": 7}`.
    """
    if not isinstance(topic, str) or len(topic) > MAX_TOPIC_LENGTH:
        return None
    partition, offset = _integer(partition), _integer(offset)
    if partition is None or offset is None:
        return None
    return {"partition": f"{topic}-{partition}", "offset": offset}


def _integer(value: Any) -> int | None:
    """Return an integer that was sent as one or as its digits, and None for anything else."""
    text = str(value) if isinstance(value, int | str) else ""
    return int(text) if DIGITS.fullmatch(text) else None


def first_traceparent(*candidates: Any) -> str | None:
    """Return the first valid traceparent, without what a later version may append to it."""
    for candidate in candidates:
        if isinstance(candidate, str) and trace.is_valid(candidate):
            return candidate[: trace.TRACEPARENT_LENGTH]
    return None
