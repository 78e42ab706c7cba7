"""The queue of enrichment, as the worker uses it."""

from collections.abc import Iterable
from typing import Protocol

from functions.shared.contract.highlight import Enrichment
from functions.shared.postgres.highlights import (
    ChangedHighlight,
    Claim,
    Correction,
    GivenBack,
    Pending,
)


class EnrichmentQueue(Protocol):
    """The part of the store that enrich-batch uses."""

    async def claim(
        self,
        *,
        limit: int,
        lease_s: float,
        ahead_s: float,
        provisional: bool = False,
        crashed: bool = False,
    ) -> list[Claim]:
        """Lease highlights that are pending, or have a provisional text, or crashed a worker."""

    async def prolong(self, claim: Claim, *, lease_s: float) -> bool:
        """Prolong a lease; return whether it was still valid."""

    async def finish(self, texts: Iterable[tuple[Claim, Enrichment]]) -> list[ChangedHighlight]:
        """Make READY the highlights whose lease is still valid."""

    async def give_back(
        self, given_back: Iterable[GivenBack], *, max_attempts: int
    ) -> list[ChangedHighlight]:
        """Postpone, or after `max_attempts` fail, the highlights whose lease is still valid."""

    async def corrected(self, *, limit: int) -> list[Correction]:
        """Return corrected highlights whose former texts are still to be checked."""

    async def settle(
        self, corrections: Iterable[tuple[Correction, Enrichment | None]]
    ) -> list[ChangedHighlight]:
        """Show these texts of highlights that are still pending, or none."""

    async def count_pending(self, *, ahead_s: float) -> Pending:
        """Return how many highlights are pending."""
