"""A client for the REST API of highlights."""

import asyncio
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from local.replay.posting import describe_error, describe_refusal

PAGE_SIZE = 100
Content = TypeVar("Content")


class Highlight(BaseModel):
    """A highlight of the REST API, with the fields that a replay needs; others are kept."""

    model_config = ConfigDict(extra="allow")

    id: UUID
    status: str


ONE = TypeAdapter(Highlight)
PAGE = TypeAdapter(list[Highlight])


class HighlightsReadError(Exception):
    """The highlights could not be read; the message says why."""


@dataclass(frozen=True)
class HighlightsClient:
    """Reads `{url}/highlights`; `slots` limits the concurrent requests."""

    http: httpx.AsyncClient
    url: str
    slots: asyncio.Semaphore

    async def of_match(self, match_id: UUID) -> list[Highlight]:
        """Return the highlights of a match from all pages, without retracted ones.

        Raises:
            HighlightsReadError: a page cannot be read.
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
        """Return the status of a highlight, or "not there".

        Raises:
            HighlightsReadError: it cannot be read.
        """
        response = await self._get(httpx.URL(f"{self.url}/highlights/{highlight_id}"))
        if response.status_code == httpx.codes.NOT_FOUND:
            return "not there"
        return _validated(response, ONE).status

    async def _get(self, url: httpx.URL) -> httpx.Response:
        async with self.slots:
            try:
                return await self.http.get(url)
            except httpx.RequestError as error:
                raise HighlightsReadError(describe_error(error)) from error


def _next_page(response: httpx.Response) -> httpx.URL | None:
    link = response.links.get("next", {}).get("url")
    return response.url.join(link) if link else None


def _validated(response: httpx.Response, type_: TypeAdapter[Content]) -> Content:
    if response.status_code != httpx.codes.OK:
        raise HighlightsReadError(describe_refusal(response))
    try:
        return type_.validate_json(response.content)
    except ValidationError as error:
        raise HighlightsReadError(
            "200 without the JSON of highlights: is this GoalStream?"
        ) from error
