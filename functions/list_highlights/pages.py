"""Pages of highlights, from the cache or from Postgres; of matches, and of changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self
from uuid import UUID

from functions.list_highlights.change_query import ChangeQuery
from functions.list_highlights.query import Query
from functions.shared.concurrency.single_flight import SingleFlight
from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.http.entity_tags import etag_of
from functions.shared.http.languages import ONLY, Language
from functions.shared.postgres.change_feed import ChangePage
from functions.shared.postgres.highlights import Listing

CacheStatus = Literal["hit", "miss"]


class HighlightLister(Protocol):
    """The part of the store that list-highlights uses."""

    async def list(
        self, filters: Mapping[str, Any], *, limit: int, offset: int, language: str | None
    ) -> Listing:
        """Return highlights by these filters, newest first, in this language if they can be."""

    async def matches(self, filters: Mapping[str, Any], *, limit: int) -> Listing:
        """Return matches by these filters, that with the latest highlight first."""


class ChangeSource(Protocol):
    """The part of the change feed that list-highlights uses."""

    async def read(
        self,
        after: ChangeCursor | None,
        filters: Mapping[str, Any],
        limit: int,
        language: str | None = None,
    ) -> ChangePage:
        """Return changes after a place, or the present place."""


class LeasedPageCache(Protocol):
    """The part of the page cache that list-highlights uses."""

    async def read(self, match_id: UUID, page: str) -> bytes | None:
        """Return a cached page, or None."""

    async def lease(self, match_id: UUID, page: str) -> tuple[bytes | None, bytes | None]:
        """Return the page if it is cached by now, or the lease for one that is read now."""

    async def fill(self, match_id: UUID, page: str, content: bytes, lease: bytes) -> None:
        """Cache a page, if nothing has changed since its lease."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: its entity tag, its Link header, its JSON, and whether it was cached.

    `cache` is None for a page that is never cached.
    """

    etag: str
    link: str
    body: bytes
    cache: CacheStatus | None = None

    @classmethod
    def from_json(
        cls, documents: Iterable[str], link: str, cache: CacheStatus | None = None
    ) -> Self:
        """Make a page of documents."""
        body = f"[{','.join(documents)}]".encode()
        return cls(etag_of(body), link, body, cache)

    @classmethod
    def from_listing(
        cls,
        query: Query,
        listing: Listing,
        language: Language = ONLY,
        cache: CacheStatus | None = None,
    ) -> Self:
        """Make a page of `page_size` documents; one more means that there is a next page."""
        shown = listing.documents[: query.page_size]
        more = len(listing.documents) > query.page_size
        links = query.links(shown[-1] if more else None, listing.moment, language)
        return cls.from_json((document.json for document in shown), links, cache)

    @classmethod
    def from_bytes(cls, cached: bytes) -> Self | None:
        """Return the page that `to_bytes` turned into these bytes, or None if it was not that."""
        etag, _, rest = cached.partition(b"\n")
        link, _, body = rest.partition(b"\n")
        if etag_of(body).encode() != etag:
            return None
        return cls(etag.decode(), link.decode(), body, "hit")

    def to_bytes(self) -> bytes:
        """Return the page as it is cached."""
        return b"\n".join((self.etag.encode(), self.link.encode(), self.body))


class PageReader:
    """Reads pages, without a cache if there is none; knows nothing of HTTP."""

    def __init__(
        self, store: HighlightLister, cache: LeasedPageCache | None, feed: ChangeSource
    ) -> None:
        self._store = store
        self._cache = cache
        self._feed = feed
        self._reads: SingleFlight[Page] = SingleFlight()

    async def read(self, query: Query, language: Language = ONLY) -> Page:
        """Return the page of a query, in a language.

        Raises:
            Unavailable: it is not cached, and the database is away.
        """
        return await self._reads.run((query, language), lambda: self._read(query, language))

    async def read_matches(self, query: Query) -> Page:
        """Return the page of a query for matches.

        Raises:
            Unavailable: the database is away.
        """
        return await self._reads.run(query, lambda: self._read_matches(query))

    async def read_changes(self, query: ChangeQuery, language: Language = ONLY) -> Page:
        """Return the page of a query for changes, in a language.

        Raises:
            CursorExpired: the place is of another epoch of the database.
            Unavailable: the database is away.
        """
        return await self._reads.run((query, language), lambda: self._read_changes(query, language))

    async def _read(self, query: Query, language: Language) -> Page:
        if self._cache is None or query.cache_key is None:
            return await self._read_from_store(query, language)
        match_id, name = query.cache_key
        if language.tag:
            name = f"{name}:{language.tag}"
        cached, lease = await self._cache.read(match_id, name), None
        if cached is None:
            cached, lease = await self._cache.lease(match_id, name)
        if cached and (page := Page.from_bytes(cached)):
            return page
        page = await self._read_from_store(query, language, "miss")
        if lease:
            await self._cache.fill(match_id, name, page.to_bytes(), lease)
        return page

    async def _read_from_store(
        self, query: Query, language: Language, cache: CacheStatus | None = None
    ) -> Page:
        listing = await self._store.list(
            query.filters,
            limit=query.page_size + 1,
            offset=query.offset,
            language=language.translation,
        )
        return Page.from_listing(query, listing, language, cache)

    async def _read_matches(self, query: Query) -> Page:
        listing = await self._store.matches(query.filters, limit=query.page_size + 1)
        return Page.from_listing(query, listing)

    async def _read_changes(self, query: ChangeQuery, language: Language) -> Page:
        page = await self._feed.read(
            query.after, query.filters, query.page_size, language.translation
        )
        return Page.from_json((change.json for change in page.changes), query.links(page, language))
