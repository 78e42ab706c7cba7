"""Ingestion of events: posted JSON becomes records, and acknowledged records become receipts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError

from functions.ingest_event.batch import parse_batch
from functions.ingest_event.idempotency_key import item_key, parse_batch_key, parse_event_key
from functions.shared.concurrency.micro_batch import Batch, MicroBatcher
from functions.shared.contract.event import AssignedId, Event, highlight_id
from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.field_errors import explain
from functions.shared.contract.highlight import Expectation
from functions.shared.contract.known_fields import EVENT_FIELDS
from functions.shared.contract.topics import MATCH_EVENTS
from functions.shared.errors import InvalidInput, NotAcknowledged, Unavailable
from functions.shared.kafka.acknowledgements import Acknowledged
from functions.shared.kafka.publisher import Record
from functions.shared.observability import trace

Receipt = dict[str, str]

Event.model_rebuild()  # at start-up, not at the first event


class EventPublisher(Protocol):
    """The part of a publisher that ingest-event uses."""

    def publish(
        self, records: Sequence[Record], acknowledged: Acknowledged | None = None
    ) -> Acknowledged:
        """Publish; the future ends when all are acknowledged, or with `NotAcknowledged`."""


@dataclass(slots=True)
class _PostedEvent:
    """An event as it was posted; `receipt` is filled in once the event is valid."""

    body: bytes
    key: str | None
    traceparent: str
    receipt: Receipt = field(default_factory=dict)


class EventIngester:
    """Validates and publishes events; knows nothing of HTTP."""

    def __init__(self, publisher: Callable[[], EventPublisher], rules: EventRules) -> None:
        self._publisher = publisher
        self._rules = rules
        self._batcher = MicroBatcher(self._publish_batch)

    async def ingest(self, body: bytes, key_lines: Sequence[bytes] = ()) -> dict[str, Any]:
        """Ingest an event in JSON; return its receipt.

        `key_lines` are the lines of `Idempotency-Key`, which identifies an event without an id.

        Raises:
            InvalidInput: with the reasons by field.
            Unavailable: the broker did not acknowledge the event in time.
        """
        posted = _PostedEvent(body, parse_event_key(key_lines), _traceparent())
        try:
            await self._batcher.submit(posted)
        except NotAcknowledged as error:
            raise not_acknowledged([posted.receipt]) from error
        return {"message": "The event is accepted.", **posted.receipt}

    def _publish_batch(self, batch: Batch[_PostedEvent]) -> None:
        """Publish events that arrived together; each has its own acknowledgement."""
        valid = []
        for posted, acknowledged in batch:
            try:
                event = parse_event(posted.body)
                self._check_times([event], lambda _: "occurredAt")
            except InvalidInput as error:
                acknowledged.set_exception(error)
            else:
                valid.append((_with_id(event, posted.key), posted, acknowledged))
        for event, posted, _ in valid:
            posted.receipt = receipt_of(event, self._rules)
        records = [
            record_of(event, posted.receipt, posted.traceparent) for event, posted, _ in valid
        ]
        publisher = self._publisher()
        for record, (_, _, acknowledged) in zip(records, valid, strict=True):
            publisher.publish([record], acknowledged)

    def _check_times(self, events: Sequence[Event], field_of: Callable[[int], str]) -> None:
        """Refuse events that are too far ahead of our clock; `field_of` names the field of one."""
        now = self._rules.now()
        errors = {
            field_of(index): [why]
            for index, event in enumerate(events)
            if (why := self._rules.too_far_ahead(event, now))
        }
        if errors:
            raise InvalidInput(errors)

    async def ingest_batch(self, body: bytes, key_lines: Sequence[bytes] = ()) -> dict[str, Any]:
        """Ingest a JSON array of events, all or none; return their receipts.

        The `Idempotency-Key` and its index identify an event without an id.

        Raises:
            InvalidInput: with the reasons by field, each field with its event's index.
            Unavailable: the broker did not acknowledge all events in time.
        """
        events = parse_batch(body)
        self._check_times(events, lambda index: f"{index}.occurredAt")
        if key := parse_batch_key(key_lines):
            events = [_with_id(event, item_key(key, index)) for index, event in enumerate(events)]
        traceparent = _traceparent()
        receipts = [receipt_of(event, self._rules) for event in events]
        records = [
            record_of(event, receipt, traceparent)
            for event, receipt in zip(events, receipts, strict=True)
        ]
        try:
            await self._publisher().publish(records)
        except NotAcknowledged as error:
            raise not_acknowledged(receipts) from error
        return {"message": f"{len(events)} events are accepted.", "events": receipts}


def _traceparent() -> str:
    return trace.current.get() or trace.continue_trace(None)


def parse_event(body: bytes) -> Event:
    """Parse an event in JSON.

    Raises:
        InvalidInput: with the reasons by field.
    """
    try:
        return Event.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidInput(explain(errors, EVENT_FIELDS)) from None


def not_acknowledged(receipts: Sequence[Receipt]) -> Unavailable:
    """Return a 503 with all ids, so that the events can be sent again under the same ones."""
    first = receipts[0]
    return Unavailable(
        "The broker did not acknowledge in time. The same events, with the same eventId,"
        " may safely be sent again.",
        topic=MATCH_EVENTS,
        matchId=first["matchId"],
        eventId=first["eventId"],
        events=receipts,
    )


def _with_id(event: Event, key: str | None) -> Event:
    """Return the event with the key as its id, if it was sent without an id."""
    if key is None or not isinstance(event.event_id, AssignedId):
        return event
    return event.model_copy(update={"event_id": key})


def receipt_of(event: Event, rules: EventRules) -> Receipt:
    """Return what the sender of an event is told about it."""
    receipt = {
        "matchId": str(event.match_id),
        "eventType": event.event_type,
        "eventId": event.event_id,
        "highlightId": highlight_id(event.match_id, event.event_id),
    }
    if rules.makes_highlight(event):
        return {**receipt, "highlight": Expectation.EXPECTED}
    hint = rules.hint(event)
    return {**receipt, "highlight": Expectation.NONE, **({"hint": hint} if hint else {})}


def record_of(event: Event, receipt: Receipt, traceparent: str) -> Record:
    """Return the event's record on the topic, with CloudEvents attributes as headers."""
    match_id = receipt["matchId"]
    suffix = "-retracted" if event.retracted else ""
    return Record(
        topic=MATCH_EVENTS,
        key=match_id,
        value=event.to_json(),
        headers={
            "ce_specversion": "1.0",
            "ce_id": f"{match_id}/{event.event_id}/{event.revision}{suffix}",
            "ce_source": "/ingest-event",
            "ce_type": "goalstream.match-event",
            "ce_subject": match_id,
            "ce_time": event.occurred_at.isoformat(),
            "content-type": "application/json",
            "traceparent": traceparent,
        },
    )
