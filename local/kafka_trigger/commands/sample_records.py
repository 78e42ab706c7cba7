"""Sample records, as people write them into a file."""

import base64
import binascii
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

from confluent_kafka import TIMESTAMP_CREATE_TIME, Message
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from local.kafka_trigger.commands.errors import UsageError
from local.kafka_trigger.record import Record


def _validate_base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("is no base64") from error
    return text


Base64 = Annotated[str, AfterValidator(_validate_base64)]
NotNegative = Annotated[int, Field(strict=True, ge=0)]


class Sample(BaseModel):
    """A record in a file: text is itself, any other JSON is encoded as JSON, null is null."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Any = None
    key_base64: Base64 | None = None
    value: Any = None
    value_base64: Base64 | None = None
    headers: dict[str, str | None] | list[tuple[str, str | None]] = Field(default_factory=dict)
    partition: NotNegative = 0
    offset: NotNegative | None = None
    timestamp: NotNegative | None = None


SAMPLES = TypeAdapter(list[Sample])


def read_samples(path: Path, topic: str) -> list[Record]:
    """Read the records of a file: an object is one, an array holds several.

    A record without an offset has its position in the file, and one without a timestamp is of now.
    Raises UsageError with one line.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        samples = SAMPLES.validate_python(document if isinstance(document, list) else [document])
        return _records(samples, topic, round(time.time() * 1000))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise UsageError(f"{path}: {_first_problem(error)}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no sample: {error}") from error


def _records(samples: Sequence[Sample], topic: str, now_ms: int) -> list[Record]:
    if not samples:
        raise ValueError("there is no record in it")
    return [_record(each, topic, position, now_ms) for position, each in enumerate(samples)]


def _record(sample: Sample, topic: str, position: int, now_ms: int) -> Record:
    """Make a record; raises ValueError for text that is half of a surrogate pair."""
    headers = sample.headers
    pairs = headers.items() if isinstance(headers, dict) else headers
    message = Message(
        topic=topic,
        partition=sample.partition,
        offset=position if sample.offset is None else sample.offset,
        key=_bytes(sample.key, sample.key_base64),
        value=_bytes(sample.value, sample.value_base64),
        headers=[(name, None if value is None else value.encode()) for name, value in pairs],
        timestamp=(
            TIMESTAMP_CREATE_TIME,
            now_ms if sample.timestamp is None else sample.timestamp,
        ),
    )
    return cast(Record, message)


def _first_problem(error: ValidationError) -> str:
    detail = error.errors()[0]
    position, *keys = detail["loc"]
    path = ".".join(str(key) for key in keys)
    subject = f"record {position}" + (f": {path}" if path else "")
    return f"{subject}: {detail['msg'].removeprefix('Value error, ')}"


def _bytes(value: Any, encoded: str | None) -> bytes | None:
    if encoded is not None:
        return base64.b64decode(encoded)
    if value is None or isinstance(value, str):
        return value.encode() if isinstance(value, str) else None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
