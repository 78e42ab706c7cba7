"""The models of the functions' responses, for the OpenAPI documents.

The functions do not build their responses from these (Postgres builds a highlight's JSON); tests
validate real responses with them.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel

from functions.shared.contract.event import Event
from functions.shared.contract.highlight import Expectation
from functions.shared.contract.highlight import Status as Stored
from functions.shared.postgres.highlight_sql import SHOWN_FIELDS


class Response(BaseModel):
    """The base of all responses: names in camelCase, and no other members."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class Receipt(Response):
    """The response to the sender of an event."""

    match_id: UUID
    event_type: str
    event_id: str
    highlight_id: UUID
    highlight: Expectation
    hint: str = Field(
        default_factory=str,  # optional, and never null
        description="Why there is no highlight, where one may have been expected.",
    )


class Accepted(Receipt):
    """The broker has acknowledged the event."""

    message: str


class BatchAccepted(Response):
    """The broker has acknowledged every event of the array."""

    message: str
    events: list[Receipt]


class Status(StrEnum):
    """The state of a highlight: its text is pending, ready or failed, or it is retracted."""

    PENDING_AI = Stored.PENDING_AI
    READY = Stored.READY
    FAILED_AI = Stored.FAILED_AI
    RETRACTED = Stored.RETRACTED


class Text(Response):
    """A highlight's title and summary in one language."""

    title: str
    summary: str


# It has the fields of its event; a type may be longer once its case is folded.
Highlight = create_model(
    "Highlight",
    __base__=Response,
    __doc__="A highlight, in its latest revision; what the event did not say is null.",
    id=UUID,
    **{name: Event.model_fields[name].rebuild_annotation() for name in SHOWN_FIELDS}
    | {"event_type": str},
    status=Status,
    title=str | None,
    summary=str | None,
    thumbnail_url=str | None,
    texts=Annotated[
        dict[str, Text] | None,
        Field(description="In all languages, by their tags; null until they are written."),
    ],
    enriched_by=Annotated[
        str | None,
        Field(description="Who wrote the texts: template, http or model: and its name."),
    ],
    refused=Annotated[
        list[str] | None,
        Field(description="Why earlier texts were refused, by code; null if none was."),
    ],
    created_at=datetime,
    updated_at=datetime,
)


class Match(Response):
    """A match with highlights: its teams and its score, as far as they are known."""

    match_id: UUID
    home_team: str | None
    away_team: str | None
    home_score: int | None = Field(description="After the latest highlight that stands.")
    away_score: int | None
    highlights: int = Field(description="How many stand.")
    occurred_at: datetime = Field(description="The time of the latest highlight.")
    updated_at: datetime = Field(description="When one of its highlights last changed.")


class ProblemDetails(BaseModel):
    """An error (RFC 9457); some have members of their own besides."""

    type: str
    title: str
    status: int
    detail: str
    errors: dict[str, list[str]] = Field(
        default_factory=dict,  # optional, and never null
        description="Of a 400: why each refused field or parameter is refused.",
    )


class Health(Response):
    """The function is alive."""

    status: Literal["ok"]
