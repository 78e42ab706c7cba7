"""The event, as the contract has it: what a feed posts and what the topic carries."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid5

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic.alias_generators import to_camel

NIL_UUID = UUID(int=0)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _not_nil(value: UUID) -> UUID:
    if value == NIL_UUID:
        raise ValueError("must not be the nil UUID")
    return value


def _rfc_3339(value: object) -> object:
    if not isinstance(value, datetime) and not (
        isinstance(value, str) and RFC_3339.fullmatch(value)
    ):
        raise ValueError("must be an RFC 3339 date-time with an offset, as 2022-12-18T15:36:00Z")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside of the years 1 to 9999 in UTC") from error


def _storable(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain the NUL character")
    return value


def _blank_is_unknown(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _optional_text(limit: int) -> Any:
    """A text of at most `limit` characters; a blank one is as good as none."""
    return Annotated[
        Annotated[str, StringConstraints(max_length=limit), AfterValidator(_storable)] | None,
        BeforeValidator(_blank_is_unknown),
    ]


Name = _optional_text(128)
Text = _optional_text(1024)
Score = Annotated[int, Field(strict=True, ge=0, le=999)]


class Event(BaseModel):
    """One match event, as `POST /events` takes it and the topic `match-events` carries it."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        regex_engine="rust-regex",
    )

    match_id: Annotated[UUID, AfterValidator(_not_nil)]
    occurred_at: Annotated[
        datetime,
        BeforeValidator(_rfc_3339, json_schema_input_type=datetime),
        AfterValidator(_utc),
    ]
    event_type: Annotated[
        str, StringConstraints(min_length=1, max_length=64), AfterValidator(_storable)
    ]
    team: Name = None
    player: Name = None
    description: Text = None
    event_id: Name = None
    revision: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] = 0
    retracted: Annotated[bool, Field(strict=True)] = False
    minute: Annotated[int, Field(strict=True, ge=0, le=150)] | None = None
    added_time: Annotated[int, Field(strict=True, ge=0, le=30)] | None = None
    home_team: Name = None
    away_team: Name = None
    home_score: Score | None = None
    away_score: Score | None = None

    def to_json(self) -> bytes:
        """The value of the event's record on the topic; what is unknown is left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


def highlight_id(match_id: UUID, event_id: str) -> UUID:
    """The id of an event's highlight: the same event makes the same highlight everywhere."""
    return uuid5(match_id, event_id)
