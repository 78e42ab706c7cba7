"""The part of the page cache that functions use which change highlights."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID


class CacheInvalidator(Protocol):
    """Keeps pages out of the cache that a change of highlights makes stale."""

    def change(self, match_ids: set[UUID]) -> AbstractAsyncContextManager[None]:
        """Return a context for a change of these matches' highlights, which drops their pages."""
