"""Pages of highlights, from the cache or from Postgres."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self
from uuid import UUID

from functions.list_highlights.query import Query
from functions.shared.concurrency.single_flight import SingleFlight
from functions.shared.http.entity_tags import etag_of
from functions.shared.postgres.highlights import Document


class HighlightLister(Protocol):
    """The part of the store that list-highlights uses."""

    async def list(self, filters: Mapping[str, Any], *, limit: int, offset: int) -> list[Document]:
        """Return highlights by these filters, newest first."""


class LeasedPageCache(Protocol):
    """The part of the page cache that list-highlights uses."""

    async def read(self, match_id: UUID, page: str) -> bytes | None:
        """Return a cached page, or None."""

    async def lease(self, match_id: UUID, page: str) -> tuple[bytes | None, bytes | None]:
        """Return a page that is cached by now, or the lease for one that is read after this call."""

    async def fill(self, match_id: UUID, page: str, content: bytes, lease: bytes) -> None:
        """Cache a page, if nothing has changed since its lease."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: its entity tag, its Link header, or "" if it is the last, and its JSON."""

    etag: str
    link: str
    body: bytes

    @classmethod
    def from_documents(cls, query: Query, documents: list[Document]) -> Self:
        """Make a page of `page_size` documents; one more means that there is a next page."""
        shown = documents[: query.page_size]
        more = len(documents) > query.page_size
        body = f"[{','.join(document.json for document in shown)}]".encode()
        return cls(etag_of(body), query.next_link(shown[-1]) if more else "", body)

    @classmethod
    def from_bytes(cls, cached: bytes) -> Self | None:
        """Return the page that `to_bytes` turned into these bytes, or None if it was not that."""
        etag, _, rest = cached.partition(b"\n")
        link, _, body = rest.partition(b"\n")
        if etag_of(body).encode() != etag:
            return None
        return cls(etag.decode(), link.decode(), body)

    def to_bytes(self) -> bytes:
        """Return the page as it is cached."""
        return b"\n".join((self.etag.encode(), self.link.encode(), self.body))


class PageReader:
    """Reads pages; knows nothing of HTTP."""

    def __init__(self, store: HighlightLister, cache: LeasedPageCache) -> None:
        self._store = store
        self._cache = cache
        self._reads: SingleFlight[Page] = SingleFlight()

    async def read(self, query: Query) -> Page:
        """Return the page of a query.

        Raises:
            Unavailable: it is not cached, and the database is away.
        """
        return await self._reads.run(query, lambda: self._read(query))

    async def _read(self, query: Query) -> Page:
        if query.cache_key is None:
            return await self._read_from_store(query)
        match_id, name = query.cache_key
        cached, lease = await self._cache.read(match_id, name), None
        if cached is None:
            cached, lease = await self._cache.lease(match_id, name)
        if cached and (page := Page.from_bytes(cached)):
            return page
        page = await self._read_from_store(query)
        if lease:
            await self._cache.fill(match_id, name, page.to_bytes(), lease)
        return page

    async def _read_from_store(self, query: Query) -> Page:
        documents = await self._store.list(
            query.filters, limit=query.page_size + 1, offset=query.offset
        )
        return Page.from_documents(query, documents)
