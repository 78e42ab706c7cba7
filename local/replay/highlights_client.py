"""Reads highlights back over REST."""

import asyncio
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from local.replay.posting import problem, reason

PAGE_SIZE = 100
Shape = TypeVar("Shape")


class Highlight(BaseModel):
    """A highlight as the REST API gives it: what a replay asks of it, and the rest as it came."""

    model_config = ConfigDict(extra="allow")

    id: UUID
    status: str


ONE = TypeAdapter(Highlight)
PAGE = TypeAdapter(list[Highlight])


class UnreadError(Exception):
    """The highlights could not be read this time; the message says why."""


@dataclass(frozen=True)
class Highlights:
    """Reads `{url}/highlights`; `slots` bounds how many requests are under way."""

    http: httpx.AsyncClient
    url: str
    slots: asyncio.Semaphore

    async def of_match(self, match_id: UUID) -> list[Highlight]:
        """Return the highlights of a match, from as many pages as they fill, or raise UnreadError.

        Retracted ones are not among them.
        """
        found: list[Highlight] = []
        page: httpx.URL | None = httpx.URL(
            f"{self.url}/highlights", params={"matchId": str(match_id), "pageSize": PAGE_SIZE}
        )
        while page is not None:
            response = await self._get(page)
            rows = _validated(response, PAGE)
            found += rows
            page = _next_page(response) if rows else None
        return found

    async def status(self, highlight_id: UUID) -> str:
        """Return the status of a highlight, or "not there"; raises UnreadError."""
        response = await self._get(httpx.URL(f"{self.url}/highlights/{highlight_id}"))
        if response.status_code == httpx.codes.NOT_FOUND:
            return "not there"
        return _validated(response, ONE).status

    async def _get(self, url: httpx.URL) -> httpx.Response:
        async with self.slots:
            try:
                return await self.http.get(url)
            except httpx.RequestError as error:
                raise UnreadError(reason(error)) from error


def _next_page(response: httpx.Response) -> httpx.URL | None:
    link = response.links.get("next", {}).get("url")
    return response.url.join(link) if link else None


def _validated(response: httpx.Response, shape: TypeAdapter[Shape]) -> Shape:
    if response.status_code != httpx.codes.OK:
        raise UnreadError(problem(response))
    try:
        return shape.validate_json(response.content)
    except ValidationError as error:
        raise UnreadError("200 without the JSON of highlights: is this GoalStream?") from error
