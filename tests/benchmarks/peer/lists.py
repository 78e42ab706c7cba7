"""GET /highlights as a user would write it: FastAPI, asyncpg, and pages kept in Redis for 2 s."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
from fastapi import FastAPI, Query, Response
from pydantic import BaseModel, ConfigDict, Json, TypeAdapter
from pydantic.alias_generators import to_camel
from redis.asyncio import Redis

CACHE_TTL_S = 2
LIST = """
    SELECT id, match_id, event_id, revision, occurred_at, event_type, team, player, assist,
        description, period, minute, added_time, home_team, away_team, home_score, away_score,
        home_shootout_score, away_shootout_score, reason, metadata, status, title, summary,
        thumbnail_url, created_at, updated_at
    FROM highlights
    WHERE match_id = $1 AND ($2::text IS NULL OR event_type = $2)
        AND status IN ('PENDING_AI', 'READY', 'FAILED_AI')
    ORDER BY occurred_at DESC, id DESC LIMIT $3 OFFSET $4
"""


class Highlight(BaseModel):
    """A highlight."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

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
    period: str | None
    minute: int | None
    added_time: int | None
    home_team: str | None
    away_team: str | None
    home_score: int | None
    away_score: int | None
    home_shootout_score: int | None
    away_shootout_score: int | None
    reason: str | None
    metadata: Json[dict[str, Any]] | None
    status: Literal["PENDING_AI", "READY", "FAILED_AI"]
    title: str | None
    summary: str | None
    thumbnail_url: str | None
    created_at: datetime
    updated_at: datetime


HIGHLIGHTS = TypeAdapter(list[Highlight])


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with (
        asyncpg.create_pool(os.environ["DATABASE_URL"]) as app.state.pool,
        Redis.from_url(os.environ["REDIS_URL"]) as app.state.redis,
    ):
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/health")
async def health() -> dict[str, str]:
    """Whether it is alive."""
    return {"status": "ok"}


@app.get("/highlights")
async def list_highlights(
    match_id: Annotated[UUID, Query(alias="matchId")],
    event_type: Annotated[str | None, Query(alias="eventType")] = None,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(alias="pageSize", ge=1, le=100)] = 50,
) -> Response:
    """A match's highlights, newest first; its first page may be `CACHE_TTL_S` old."""
    key = f"highlights:{match_id}:{page_size}" if page == 1 and event_type is None else None
    body = await app.state.redis.get(key) if key else None
    if body is None:
        rows = await app.state.pool.fetch(
            LIST, match_id, event_type, page_size, (page - 1) * page_size
        )
        highlights = [Highlight.model_validate(dict(row)) for row in rows]
        body = HIGHLIGHTS.dump_json(highlights, by_alias=True)
        if key:
            await app.state.redis.set(key, body, ex=CACHE_TTL_S)
    return Response(body, media_type="application/json")
