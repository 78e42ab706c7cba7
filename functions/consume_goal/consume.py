"""Consumption of events: validated, recorded in the table, and announced to enrich-batch."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import orjson
from pydantic import ValidationError

from functions.consume_goal.revisions import (
    ReceivedEvent,
    is_irrelevant,
    latest_revisions,
    revision_of,
)
from functions.shared.contract.event import IdentifiedEvent
from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.field_errors import summarize
from functions.shared.contract.highlight import Status
from functions.shared.contract.topics import HIGHLIGHTS_PENDING
from functions.shared.errors import DataRejected
from functions.shared.inbound.received_record import ReceivedRecord, RejectedRecord
from functions.shared.kafka.publisher import Record
from functions.shared.observability.metrics import Counter
from functions.shared.postgres.highlights import ChangedHighlight, Revision
from functions.shared.redis.invalidation import CacheInvalidator

CONFLICTS = Counter(
    "consume_goal_conflicting_events_total",
    "Events that were ignored, since they change what the same revision said before.",
)

log = logging.getLogger(__name__)

IdentifiedEvent.model_rebuild()  # at start-up, not at the first event


class RevisionRecorder(Protocol):
    """The part of the store that consume-goal uses."""

    async def record(self, revisions: Iterable[Revision]) -> list[ChangedHighlight]:
        """Record revisions, at most one of each event; return the highlights that changed."""

    async def conflicts(self, revisions: Iterable[Revision]) -> list[UUID]:
        """Return the ids of the highlights whose same revision is recorded with other content."""


class PendingAnnouncer(Protocol):
    """The part of a publisher that consume-goal uses."""

    def announce(self, records: Sequence[Record]) -> None:
        """Publish without waiting; a lost record delays a highlight, and loses none."""


class EventConsumer:
    """Consumes batches of records; knows nothing of HTTP or Kafka's offsets."""

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

    async def consume(self, records: Sequence[ReceivedRecord]) -> list[RejectedRecord]:
        """Record the events of the records; return the records that are rejected for good.

        Raises:
            Unavailable: the database is away; the whole batch has to be delivered again.
        """
        received: list[ReceivedEvent] = []
        rejected: list[RejectedRecord] = []
        now = self._rules.now()
        for record in records:
            try:
                event = self._validate(record, now)
            except ValidationError as error:
                rejected.append(RejectedRecord(record, record.decode_error or _reasons(error)))
            except ValueError as error:
                rejected.append(RejectedRecord(record, str(error)))
            else:
                if not is_irrelevant(event, self._rules):
                    received.append(ReceivedEvent(event, record))
        if received:
            rejected += await self._record(received)
        return rejected

    def _validate(self, record: ReceivedRecord, now: datetime) -> IdentifiedEvent:
        event = IdentifiedEvent.model_validate(record.data)
        if why := self._rules.too_far_ahead(event, now):
            raise ValueError(f"occurredAt: {why}")
        return event

    async def _record(self, received: Sequence[ReceivedEvent]) -> list[RejectedRecord]:
        async with self._cache.change({event.match_id for event, _ in received}):
            try:
                changes = await self._write(latest_revisions(received))
                rejected: list[RejectedRecord] = []
            except DataRejected:
                changes, rejected = await self._write_one_by_one(received)
            self._publisher.announce(pending_records(changes, received[0]))
        if len(changes) < len(received) and not rejected:
            await self._report_conflicts(received)
        return rejected

    async def _write(self, received: Sequence[ReceivedEvent]) -> list[ChangedHighlight]:
        return await self._store.record(self._revisions(received))

    def _revisions(self, received: Sequence[ReceivedEvent]) -> list[Revision]:
        return [revision_of(event, record, self._rules) for event, record in received]

    async def _report_conflicts(self, received: Sequence[ReceivedEvent]) -> None:
        """Log and count the events that differ from the recorded event of the same revision."""
        for highlight in await self._store.conflicts(self._revisions(received)):
            CONFLICTS.increment()
            log.warning(
                "conflicting event ignored", extra={"fields": {"highlightId": str(highlight)}}
            )

    async def _write_one_by_one(
        self, received: Sequence[ReceivedEvent]
    ) -> tuple[list[ChangedHighlight], list[RejectedRecord]]:
        """Write each event alone, so that only those that Postgres refuses are rejected."""
        changes: list[ChangedHighlight] = []
        rejected: list[RejectedRecord] = []
        for each in received:
            try:
                changes += await self._write([each])
            except DataRejected as refused:
                rejected.append(RejectedRecord(each.record, str(refused)))
        return changes, rejected


def pending_records(changes: Sequence[ChangedHighlight], first: ReceivedEvent) -> list[Record]:
    """Return the record that announces pending highlights, if there are any.

    It has the key and the trace of the batch's first event.
    """
    pending = [change for change in changes if change.status is Status.PENDING_AI]
    if not pending:
        return []
    traceparent = first.record.traceparent
    record = Record(
        topic=HIGHLIGHTS_PENDING,
        key=str(first.event.match_id),
        value=orjson.dumps({"highlightIds": [change.id for change in pending]}),
        headers={"traceparent": traceparent} if traceparent else {},
    )
    return [record]


def _reasons(error: ValidationError) -> str:
    refused = error.errors(include_url=False, include_input=False)
    if refused[0]["type"] == "model_type":  # pydantic's message names our class
        return "the value is JSON, but no object"
    return summarize(refused)
