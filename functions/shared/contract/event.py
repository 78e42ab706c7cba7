"""The event: the model of what a feed posts and of what the topic carries."""

import os
import re
from datetime import UTC, datetime
from hashlib import sha1
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticUseDefault

from functions.shared.contract.event_types import fold_event_type
from functions.shared.contract.metadata import Metadata

NIL_UUID = UUID(int=0)
RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]([01]\d|2[0-3]):\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:[0-5]\d)", re.ASCII
)
NO_DATE_TIME = "must be an RFC 3339 date-time with an offset, as 2022-12-18T15:36:00Z"


def _not_nil(value: UUID) -> UUID:
    if value == NIL_UUID:
        raise ValueError("must not be the nil UUID")
    return value


def parse_rfc3339(text: object) -> datetime:
    """Return the time, in UTC, of an RFC 3339 date-time with an offset.

    A leap second counts as the second before it.

    Raises:
        ValueError: the text is no such date-time, or outside the years 1 to 9999 in UTC.
    """
    if not isinstance(text, str) or not RFC_3339.fullmatch(text):
        raise ValueError(NO_DATE_TIME)
    is_leap_second = text[17:19] == "60"
    if is_leap_second:
        text = f"{text[:17]}59{text[19:]}"
    try:
        at = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie in the years 1 to 9999 in UTC") from error
    if is_leap_second and (at.hour, at.minute) != (23, 59):
        raise ValueError(NO_DATE_TIME)
    return at


def _blank_as_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _blank_as_default(value: object) -> object:
    if _blank_as_none(value) is None:
        raise PydanticUseDefault
    return value


class AssignedId(str):
    """An event id that was assigned here, since the sender gave none."""

    __slots__ = ()


def _new_event_id() -> str:
    return AssignedId(os.urandom(16).hex())


def _integral(value: object) -> object:
    """Return 10 for 10.0, which is an integer in JSON (JSON Schema Core, 4.2.3)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Blankable = BeforeValidator(_blank_as_none)
Storable = StringConstraints(pattern=r"^[^\x00]*$")  # Postgres keeps any text but NUL

EventId = Annotated[str, StringConstraints(min_length=1, max_length=128), Storable]
# Not blank: the white space around it was stripped before.
Word = StringConstraints(pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")
EventType = Annotated[
    str, StringConstraints(min_length=1, max_length=64), Word, AfterValidator(fold_event_type)
]
Name = Annotated[Annotated[str, StringConstraints(max_length=128), Storable] | None, Blankable]
Reason = Annotated[Annotated[str, StringConstraints(max_length=256), Storable] | None, Blankable]
Text = Annotated[Annotated[str, StringConstraints(max_length=1024), Storable] | None, Blankable]
Period = Literal["first_half", "second_half", "extra_time_first", "extra_time_second", "shootout"]

Integral = BeforeValidator(_integral)
RevisionNumber = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1), Integral]
Minute = Annotated[int, Field(strict=True, ge=0, le=150), Integral]
AddedTime = Annotated[int, Field(strict=True, ge=0, le=60), Integral]
Score = Annotated[int, Field(strict=True, ge=0, le=999), Integral]
ShootoutScore = Annotated[int, Field(strict=True, ge=0, le=99), Integral]


class Event(BaseModel):
    """A match event, as `POST /events` accepts it and the topic `match-events` carries it."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        defer_build=True,
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
    )

    match_id: Annotated[UUID, AfterValidator(_not_nil)]
    occurred_at: Annotated[
        datetime, BeforeValidator(parse_rfc3339, json_schema_input_type=datetime)
    ]
    event_type: EventType
    team: Name = None
    player: Name = None
    assist: Name = None
    description: Text = None
    event_id: Annotated[
        EventId, BeforeValidator(_blank_as_default, json_schema_input_type=Name)
    ] = Field(default_factory=_new_event_id)
    revision: RevisionNumber = 0
    retracted: Annotated[bool, Field(strict=True)] = False
    reason: Reason = None
    period: Period | None = None
    minute: Minute | None = None
    added_time: AddedTime | None = None
    home_team: Name = None
    away_team: Name = None
    home_score: Score | None = None
    away_score: Score | None = None
    home_shootout_score: ShootoutScore | None = None
    away_shootout_score: ShootoutScore | None = None
    metadata: Metadata | None = None

    def to_json(self) -> bytes:
        """Return the value of the event's record on the topic; unknown fields are left out."""
        return EVENT.dump_json(self, by_alias=True, exclude_none=True)


EVENT = TypeAdapter(Event)


class IdentifiedEvent(Event):
    """An event on the topic, which always has an id.

    A type that `POST /events` accepts may be longer after folding. Unknown fields are ignored: a
    newer release may have published the event.
    """

    model_config = ConfigDict(extra="ignore")

    event_id: EventId
    event_type: Annotated[
        str,
        StringConstraints(min_length=1, max_length=256),
        Storable,
        AfterValidator(fold_event_type),
    ]


def highlight_id(match_id: UUID, event_id: str) -> str:
    """Return the id of an event's highlight, the same for the same event everywhere.

    It is `uuid.uuid5(match_id, event_id)` as text (RFC 9562, 5.5), in a third of the time.
    """
    digest = bytearray(sha1(match_id.bytes + event_id.encode(), usedforsecurity=False).digest())
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"
