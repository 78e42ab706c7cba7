"""POST /events as a user would write it: FastAPI, and aiokafka's producer with acks=all."""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4, uuid5

from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

TOPIC = os.environ["TOPIC"]
GOALS = {"goal", "own_goal", "penalty_goal"}


def _not_nil(match_id: UUID) -> UUID:
    if match_id.int == 0:
        raise ValueError("must not be the nil UUID")
    return match_id


def _not_ahead(at: datetime) -> datetime:
    if at > datetime.now(UTC) + timedelta(days=1):
        raise ValueError("lies too far ahead")
    return at.astimezone(UTC)


def _folded(event_type: str) -> str:
    return re.sub(r"[\s_-]+|(?<=[a-z0-9])(?=[A-Z])", "_", event_type).strip("_").lower()


Name = Annotated[str, Field(max_length=128)]
Score = Annotated[int, Field(ge=0, le=999)]
ShootoutScore = Annotated[int, Field(ge=0, le=99)]


class Event(BaseModel):
    """A match event."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", str_strip_whitespace=True)

    match_id: Annotated[UUID, AfterValidator(_not_nil)]
    occurred_at: Annotated[AwareDatetime, AfterValidator(_not_ahead)]
    event_type: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_folded)]
    team: Name | None = None
    player: Name | None = None
    assist: Name | None = None
    description: Annotated[str, Field(max_length=1024)] | None = None
    event_id: Annotated[str, Field(min_length=1, max_length=128)] = Field(
        default_factory=lambda: uuid4().hex
    )
    revision: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    retracted: bool = False
    reason: Annotated[str, Field(max_length=256)] | None = None
    period: (
        Literal["first_half", "second_half", "extra_time_first", "extra_time_second", "shootout"]
        | None
    ) = None
    minute: Annotated[int, Field(ge=0, le=150)] | None = None
    added_time: Annotated[int, Field(ge=0, le=60)] | None = None
    home_team: Name | None = None
    away_team: Name | None = None
    home_score: Score | None = None
    away_score: Score | None = None
    home_shootout_score: ShootoutScore | None = None
    away_shootout_score: ShootoutScore | None = None
    metadata: dict[str, Any] | None = None


class Accepted(BaseModel):
    """The broker has the event."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    message: str = "The event is accepted."
    match_id: UUID
    event_type: str
    event_id: str
    highlight_id: UUID
    highlight: Literal["expected", "none"]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    producer = AIOKafkaProducer(
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        acks="all",
        enable_idempotence=os.environ["IDEMPOTENCE"] == "true",
    )
    async with producer:
        app.state.producer = producer
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/health")
async def health() -> dict[str, str]:
    """Whether it is alive."""
    return {"status": "ok"}


@app.post("/events", status_code=202)
async def post_event(event: Event, response: Response) -> Accepted:
    """Accept an event, once the broker has acknowledged it."""
    match_id = str(event.match_id)
    highlight_id = uuid5(event.match_id, event.event_id)
    await app.state.producer.send_and_wait(
        TOPIC,
        event.model_dump_json(by_alias=True, exclude_none=True).encode(),
        match_id.encode(),
        headers=[
            ("ce_specversion", b"1.0"),
            ("ce_id", f"{match_id}/{event.event_id}/{event.revision}".encode()),
            ("ce_source", b"/ingest-event"),
            ("ce_type", b"goalstream.match-event"),
            ("ce_subject", match_id.encode()),
            ("ce_time", event.occurred_at.isoformat().encode()),
            ("content-type", b"application/json"),
        ],
    )
    expected = event.event_type in GOALS
    if expected:
        response.headers["Location"] = f"/highlights/{highlight_id}"
    return Accepted(
        match_id=event.match_id,
        event_type=event.event_type,
        event_id=event.event_id,
        highlight_id=highlight_id,
        highlight="expected" if expected else "none",
    )
