"""The answers, as the contract has them: the models behind the OpenAPI documents.

The functions do not make their answers of these (Postgres makes a highlight's JSON); a test holds
the two together.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from functions.shared.contracts import Period


class Answer(BaseModel):
    """What is common to all answers: names in camelCase, and no others."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class Receipt(Answer):
    """What the sender of an event learns of it."""

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


class BatchAccepted(Answer):
    """The broker has acknowledged every event of the array."""

    message: str
    events: list[Receipt]


class Highlight(Answer):
    """A highlight, in its latest revision; what the event did not say is null."""

    id: UUID
    match_id: UUID
    event_id: str
    revision: int
    occurred_at: datetime
    event_type: str
    team: str | None
    player: str | None
    assist: str | None
    description: str | None
    period: Period | None
    minute: int | None
    added_time: int | None
    home_team: str | None
    away_team: str | None
    home_score: int | None
    away_score: int | None
    home_shootout_score: int | None
    away_shootout_score: int | None
    reason: str | None
    metadata: dict[str, Any] | None
    status: Literal["PENDING_AI", "READY", "FAILED_AI", "RETRACTED"]
    title: str | None
    summary: str | None
    thumbnail_url: str | None
    created_at: datetime
    updated_at: datetime


class ProblemDetails(BaseModel):
    """An error (RFC 9457); some have members of their own besides."""

    type: str
    title: str
    status: int
    detail: str
    errors: dict[str, list[str]] | None = Field(
        None, description="Of a 400: why each refused field or parameter is refused."
    )


class Health(Answer):
    """The function is alive."""

    status: Literal["ok"]
