"""Sample records, as people write them into a file."""

import base64
import binascii
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from local.kafka_trigger.commands.errors import Misuse

BY_PRODUCER = 1


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("is no base64") from error
    return text


Base64 = Annotated[str, AfterValidator(_base64)]


class Sample(BaseModel):
    """A record in a file: a text is itself, any other JSON is written as JSON, null is null."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Any = None
    key_base64: Base64 | None = None
    value: Any = None
    value_base64: Base64 | None = None
    headers: dict[str, str | None] | list[tuple[str, str | None]] = Field(default_factory=dict)
    partition: Annotated[int, Field(strict=True, ge=0)] = 0
    offset: Annotated[int, Field(strict=True, ge=0)] | None = None
    timestamp: Annotated[int, Field(strict=True, ge=0)] | None = None


SAMPLES = TypeAdapter(list[Sample])


@dataclass(frozen=True)
class SampleRecord:
    """A sample with the face of a Kafka record."""

    of: Sample
    its_topic: str
    its_offset: int
    now_ms: int

    def __post_init__(self) -> None:
        """Raise ValueError for a text that has no bytes: JSON may hold half of a letter."""
        self.key(), self.value()

    def topic(self) -> str:
        """The trigger's topic."""
        return self.its_topic

    def partition(self) -> int:
        """As the file says, else 0."""
        return self.of.partition

    def offset(self) -> int:
        """As the file says, else its place in it."""
        return self.its_offset

    def key(self) -> bytes | None:
        """Its key."""
        return _bytes(self.of.key, self.of.key_base64)

    def value(self) -> bytes | None:
        """Its value."""
        return _bytes(self.of.value, self.of.value_base64)

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        """Its headers, which may come as an object or as pairs."""
        told = self.of.headers
        pairs = told.items() if isinstance(told, dict) else told
        return [(name, None if value is None else value.encode()) for name, value in pairs]

    def timestamp(self) -> tuple[int, int]:
        """As the file says, else now."""
        return BY_PRODUCER, self.now_ms if self.of.timestamp is None else self.of.timestamp

    def __len__(self) -> int:
        return len(self.value() or b"")


def read_samples(path: Path, topic: str) -> list[SampleRecord]:
    """The records of a file: of an object one, of an array all; raises Misuse with a line."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        samples = SAMPLES.validate_python(document if isinstance(document, list) else [document])
        return _records(samples, topic, round(time.time() * 1000))
    except OSError as error:
        raise Misuse(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise Misuse(f"{path}: {_first(error)}") from error
    except (ValueError, RecursionError) as error:
        raise Misuse(f"{path}: no sample: {error}") from error


def _records(samples: Sequence[Sample], topic: str, now_ms: int) -> list[SampleRecord]:
    if not samples:
        raise ValueError("there is no record in it")
    return [
        SampleRecord(each, topic, number if each.offset is None else each.offset, now_ms)
        for number, each in enumerate(samples)
    ]


def _first(error: ValidationError) -> str:
    detail = error.errors()[0]
    number, *keys = detail["loc"]
    place = ".".join(str(key) for key in keys)
    what = f"record {number}" + (f": {place}" if place else "")
    return f"{what}: {detail['msg'].removeprefix('Value error, ')}"


def _bytes(value: Any, encoded: str | None) -> bytes | None:
    if encoded is not None:
        return base64.b64decode(encoded)
    if value is None or isinstance(value, str):
        return value.encode() if isinstance(value, str) else None
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
