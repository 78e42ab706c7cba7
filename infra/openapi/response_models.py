"""The models of the functions' responses, for the OpenAPI documents.

The functions do not build their responses from these (Postgres builds a highlight's JSON); tests
validate real responses with them.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel

from functions.shared.contract.event import Event
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
    highlight: Literal["expected", "none"] = Field(
        description="Whether the event makes a highlight, unless it is retracted."
    )
    hint: str | None = Field(
        None, description="Why there is no highlight, where one may have been expected."
    )


class Accepted(Receipt):
    """The broker has acknowledged the event."""

    message: str


class BatchAccepted(Response):
    """The broker has acknowledged every event of the array."""

    message: str
    events: list[Receipt]


# It has the fields of its event; a type may be longer once its case is folded.
Highlight = create_model(
    "Highlight",
    __base__=Response,
    __doc__="A highlight, in its latest revision; what the event did not say is null.",
    id=UUID,
    **{name: Event.model_fields[name].rebuild_annotation() for name in SHOWN_FIELDS}
    | {"event_type": str},
    status=Literal["PENDING_AI", "READY", "FAILED_AI", "RETRACTED"],
    title=str | None,
    summary=str | None,
    thumbnail_url=str | None,
    created_at=datetime,
    updated_at=datetime,
)


class ProblemDetails(BaseModel):
    """An error (RFC 9457); some have members of their own besides."""

    type: str
    title: str
    status: int
    detail: str
    errors: dict[str, list[str]] | None = Field(
        None, description="Of a 400: why each refused field or parameter is refused."
    )


class Health(Response):
    """The function is alive."""

    status: Literal["ok"]
