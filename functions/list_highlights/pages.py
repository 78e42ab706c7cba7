"""Pages of highlights: from the cache where they may be kept there, else from Postgres."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self
from uuid import UUID

from functions.list_highlights.query import Query
from functions.shared.concurrency.single_flight import SingleFlight
from functions.shared.http.routing import etag_of
from functions.shared.postgres.highlights import Document


class HighlightLister(Protocol):
    """What list-highlights needs of the store."""

    async def list(self, filters: Mapping[str, Any], *, limit: int, offset: int) -> list[Document]:
        """Highlights by these filters, newest first."""


class PageCaching(Protocol):
    """What list-highlights needs of the cache."""

    async def read(self, match_id: UUID, page: str) -> bytes | None:
        """A page as it was kept, or None."""

    async def lease(self, match_id: UUID) -> bytes | None:
        """What `fill` needs to keep a page that is read after this call."""

    async def fill(self, match_id: UUID, page: str, content: bytes, lease: bytes) -> None:
        """Keep a page, if nothing changed since its lease."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is answered: its entity tag, its Link header, its JSON."""

    etag: str
    link: str
    body: bytes

    @classmethod
    def of(cls, query: Query, documents: list[Document]) -> Self:
        """The page of up to `page_size` documents; one more says that there is a next page."""
        shown = documents[: query.page_size]
        more = len(documents) > query.page_size
        body = f"[{','.join(document.json for document in shown)}]".encode()
        return cls(etag_of(body), query.next_link(shown[-1]) if more else "", body)

    @classmethod
    def from_bytes(cls, kept: bytes) -> Self | None:
        """The page that `to_bytes` made these bytes of, or None if it did not."""
        etag, _, rest = kept.partition(b"\n")
        link, _, body = rest.partition(b"\n")
        if etag_of(body).encode() != etag:
            return None
        return cls(etag.decode(), link.decode(), body)

    def to_bytes(self) -> bytes:
        """The page as the cache keeps it."""
        return b"\n".join((self.etag.encode(), self.link.encode(), self.body))


class Pages:
    """Answers queries; knows nothing of HTTP."""

    def __init__(self, store: HighlightLister, cache: PageCaching) -> None:
        self._store = store
        self._cache = cache
        self._flights: SingleFlight[Page] = SingleFlight()

    async def page(self, query: Query) -> Page:
        """The page that a query asks for.

        Raises:
            Unavailable: it is not cached, and the database is away.
        """
        return await self._flights.run(query, lambda: self._fetch(query))

    async def _fetch(self, query: Query) -> Page:
        if query.cached_as is None:
            return await self._read(query)
        match_id, name = query.cached_as
        kept = await self._cache.read(match_id, name)
        if kept and (page := Page.from_bytes(kept)):
            return page
        lease = await self._cache.lease(match_id)
        page = await self._read(query)
        if lease:
            await self._cache.fill(match_id, name, page.to_bytes(), lease)
        return page

    async def _read(self, query: Query) -> Page:
        documents = await self._store.list(
            query.filters, limit=query.page_size + 1, offset=query.offset
        )
        return Page.of(query, documents)
