"""Taking events off the topic: which revision of each counts, and what becomes of it."""

import logging
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

import orjson
from pydantic import ValidationError

from functions.shared.contract.event import IdentifiedEvent, highlight_id
from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.field_errors import summarize
from functions.shared.contract.highlight import Status
from functions.shared.contract.team_names import fold_name, side_of
from functions.shared.contract.topics import HIGHLIGHTS_PENDING
from functions.shared.errors import DataRejected
from functions.shared.inbound.received_record import ReceivedRecord, RejectedRecord
from functions.shared.kafka.publisher import Record
from functions.shared.observability.metrics import Counter
from functions.shared.postgres.highlights import ChangedHighlight, Revision

Taken = tuple[IdentifiedEvent, ReceivedRecord]

CONFLICTS = Counter(
    "consume_goal_conflicting_events_total",
    "Events that were ignored, since they change what the same revision said before.",
)

log = logging.getLogger(__name__)

IdentifiedEvent.model_rebuild()  # at the start, not at the first event


class RevisionRecorder(Protocol):
    """What consume-goal needs of the store."""

    async def record(self, revisions: Iterable[Revision]) -> list[ChangedHighlight]:
        """Record revisions, at most one of each event; return the highlights that they changed."""

    async def conflicts(self, revisions: Iterable[Revision]) -> list[UUID]:
        """Return the ids of the highlights whose same revision is recorded with other content."""


class PendingAnnouncer(Protocol):
    """What consume-goal needs of a publisher."""

    def announce(self, records: Sequence[Record]) -> None:
        """Publish without waiting; what is lost costs time, never a highlight."""


class CacheInvalidator(Protocol):
    """What consume-goal needs of the cache."""

    def change(self, match_ids: set[UUID]) -> AbstractAsyncContextManager[None]:
        """Around a change of these matches' highlights."""


class Consume:
    """Takes batches of deliveries; knows nothing of HTTP or Kafka's offsets."""

    def __init__(
        self,
        store: RevisionRecorder,
        cache: CacheInvalidator,
        publisher: PendingAnnouncer,
        rules: EventRules,
    ) -> None:
        self._store = store
        self._cache = cache
        self._publisher = publisher
        self._rules = rules

    async def take(self, deliveries: Sequence[ReceivedRecord]) -> list[RejectedRecord]:
        """Record what the deliveries say; returns those that can never be taken, and why.

        Raises:
            Unavailable: the database is away, so the whole batch is to come again.
        """
        taken: list[Taken] = []
        failures: list[RejectedRecord] = []
        now = self._rules.now()
        for delivery in deliveries:
            try:
                event = self._event(delivery, now)
            except ValidationError as error:
                failures.append(RejectedRecord(delivery, delivery.unreadable or _reasons(error)))
            except ValueError as error:
                failures.append(RejectedRecord(delivery, str(error)))
            else:
                if not is_irrelevant(event, self._rules):
                    taken.append((event, delivery))
        if taken:
            failures += await self._record(taken)
        return failures

    def _event(self, delivery: ReceivedRecord, now: datetime) -> IdentifiedEvent:
        event = IdentifiedEvent.model_validate(delivery.data)
        if why := self._rules.too_far_ahead(event, now):
            raise ValueError(f"occurredAt: {why}")
        return event

    async def _record(self, taken: Sequence[Taken]) -> list[RejectedRecord]:
        async with self._cache.change({event.match_id for event, _ in taken}):
            try:
                changes = await self._write(latest_revisions(taken))
                failures: list[RejectedRecord] = []
            except DataRejected:
                changes, failures = await self._write_each(taken)
            self._publisher.announce(announcement(changes, taken[0]))
        if len(changes) < len(taken) and not failures:
            await self._tell_conflicts(taken)
        return failures

    async def _write(self, taken: Sequence[Taken]) -> list[ChangedHighlight]:
        return await self._store.record(self._revisions(taken))

    def _revisions(self, taken: Sequence[Taken]) -> list[Revision]:
        return [revision_of(event, delivery, self._rules) for event, delivery in taken]

    async def _tell_conflicts(self, taken: Sequence[Taken]) -> None:
        """Log and count what was ignored though it is not what was said under its revision."""
        for highlight in await self._store.conflicts(self._revisions(taken)):
            CONFLICTS.add()
            log.warning(
                "conflicting event ignored", extra={"fields": {"highlightId": str(highlight)}}
            )

    async def _write_each(
        self, taken: Sequence[Taken]
    ) -> tuple[list[ChangedHighlight], list[RejectedRecord]]:
        """Write one by one, since Postgres refuses a value of one of them."""
        changes: list[ChangedHighlight] = []
        failures: list[RejectedRecord] = []
        for one in taken:
            try:
                changes += await self._write([one])
            except DataRejected as refused:
                failures.append(RejectedRecord(one[1], str(refused)))
        return changes, failures


def is_irrelevant(event: IdentifiedEvent, rules: EventRules) -> bool:
    """Whether an event neither makes a highlight nor can revise one."""
    return not (event.revision or event.retracted or rules.makes_highlight(event))


def latest_revisions(taken: Iterable[Taken]) -> list[Taken]:
    """Of each event the one revision that counts: the highest, and of equals a retraction.

    Of two that are equal in this, the first, as in the table.
    """
    latest: dict[tuple[UUID, str], Taken] = {}
    for event, delivery in taken:
        known = latest.get((event.match_id, event.event_id))
        if known is None or rank(event) > rank(known[0]):
            latest[event.match_id, event.event_id] = (event, delivery)
    return list(latest.values())


def rank(event: IdentifiedEvent) -> tuple[int, bool]:
    """By what revisions of an event are compared."""
    return event.revision, event.retracted


def revision_of(event: IdentifiedEvent, delivery: ReceivedRecord, rules: EventRules) -> Revision:
    """Return the event as the store records it."""
    side = side_of(event.team, event.home_team, event.away_team)
    name = {"home": event.home_team, "away": event.away_team}.get(side or "", event.team)
    return Revision(
        event,
        id=highlight_id(event.match_id, event.event_id),
        side=side,
        team_key=name and fold_name(name),
        status=status_of(event, rules),
        traceparent=delivery.traceparent,
    )


def status_of(event: IdentifiedEvent, rules: EventRules) -> Status:
    """Return the status of an event of which there is no other revision."""
    if event.retracted:
        return Status.RETRACTED
    return Status.PENDING_AI if rules.makes_highlight(event) else Status.IGNORED


def announcement(changes: Sequence[ChangedHighlight], first: Taken) -> list[Record]:
    """The record that tells enrich-batch of its work, if there is any; in the first's trace."""
    event, delivery = first
    pending = [change for change in changes if change.status is Status.PENDING_AI]
    if not pending:
        return []
    record = Record(
        topic=HIGHLIGHTS_PENDING,
        key=str(event.match_id),
        value=orjson.dumps({"highlightIds": [change.id for change in pending]}),
        headers={"traceparent": delivery.traceparent} if delivery.traceparent else {},
    )
    return [record]


def _reasons(error: ValidationError) -> str:
    refused = error.errors(include_url=False, include_input=False)
    if refused[0]["type"] == "model_type":  # pydantic would name a class of ours
        return "the value is JSON, but no object"
    return summarize(refused)
