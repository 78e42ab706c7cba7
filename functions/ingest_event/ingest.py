"""Accepting events: what was posted becomes records, and the broker's word becomes a 202."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import ValidationError

from functions.ingest_event.batch import events_of
from functions.ingest_event.idempotency_key import key_of_batch, key_of_event, key_of_item
from functions.shared.concurrency.micro_batch import Gathered, MicroBatcher
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

Event.model_rebuild()  # at the start, not at the first event


class EventPublisher(Protocol):
    """What ingest-event needs of a publisher."""

    def publish(
        self, records: Sequence[Record], acknowledged: Acknowledged | None = None
    ) -> Acknowledged:
        """Publish; the future ends when the broker has acknowledged all, or `NotAcknowledged`."""


@dataclass(slots=True)
class Arrival:
    """An event as it was posted, and what its sender is told once it is acknowledged."""

    body: bytes
    key: str | None
    traceparent: str
    receipt: Receipt = field(default_factory=dict)


class Ingest:
    """Takes events in; knows nothing of HTTP."""

    def __init__(self, publisher: Callable[[], EventPublisher], rules: EventRules) -> None:
        self._publisher = publisher
        self._rules = rules
        self._arrivals = MicroBatcher(self._take)

    async def one(self, body: bytes, key_lines: Sequence[bytes] = ()) -> dict[str, Any]:
        """Accept one event, as JSON; the key is its id if it brings none of its own.

        Raises:
            InvalidInput: with the reasons, by field.
            Unavailable: the broker did not acknowledge it in time.
        """
        arrival = Arrival(body, key_of_event(key_lines), _traceparent())
        try:
            await self._arrivals.join(arrival)
        except NotAcknowledged as error:
            raise _unavailable([arrival.receipt]) from error
        return {"message": "The event is accepted.", **arrival.receipt}

    def _take(self, arrivals: Gathered[Arrival]) -> None:
        """Publish what arrived together, step by step, each under its own acknowledgement."""
        valid = []
        for arrival, acknowledged in arrivals:
            try:
                event = event_of(arrival.body)
                self._check_times([event], lambda _: "occurredAt")
            except InvalidInput as error:
                acknowledged.set_exception(error)
            else:
                valid.append((_identified(event, arrival.key), arrival, acknowledged))
        for event, arrival, _ in valid:
            arrival.receipt = receipt_of(event, self._rules)
        records = [
            record_of(event, arrival.receipt, arrival.traceparent) for event, arrival, _ in valid
        ]
        publisher = self._publisher()
        for record, (_, _, acknowledged) in zip(records, valid, strict=True):
            publisher.publish([record], acknowledged)

    def _check_times(self, events: Sequence[Event], field_of: Callable[[int], str]) -> None:
        """Refuse events that occurred too far ahead of our clock; `field_of` names one's field."""
        now = self._rules.now()
        errors = {
            field_of(index): [why]
            for index, event in enumerate(events)
            if (why := self._rules.too_far_ahead(event, now))
        }
        if errors:
            raise InvalidInput(errors)

    async def batch(self, body: bytes, key_lines: Sequence[bytes] = ()) -> dict[str, Any]:
        """Accept an array of events, all or none; the key and its index identify an item.

        Raises:
            InvalidInput: with the reasons, by field, each with its item's index.
            Unavailable: the broker did not acknowledge all of them in time.
        """
        events = events_of(body)
        self._check_times(events, lambda index: f"{index}.occurredAt")
        if key := key_of_batch(key_lines):
            events = [
                _identified(event, key_of_item(key, index)) for index, event in enumerate(events)
            ]
        traceparent = _traceparent()
        receipts = [receipt_of(event, self._rules) for event in events]
        records = [
            record_of(event, receipt, traceparent)
            for event, receipt in zip(events, receipts, strict=True)
        ]
        try:
            await self._publisher().publish(records)
        except NotAcknowledged as error:
            raise _unavailable(receipts) from error
        return {"message": f"{len(events)} events are accepted.", "events": receipts}


def _traceparent() -> str:
    return trace.current.get() or trace.continue_trace(None)


def event_of(body: bytes) -> Event:
    """The event that was posted.

    Raises:
        InvalidInput: with the reasons, by field.
    """
    try:
        return Event.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidInput(explain(errors, EVENT_FIELDS)) from None


def _unavailable(receipts: Sequence[Receipt]) -> Unavailable:
    """With all that was assigned, so that it can be sent again under the same ids."""
    first = receipts[0]
    return Unavailable(
        "The broker did not acknowledge in time. The same events, with the same eventId,"
        " may safely be sent again.",
        topic=MATCH_EVENTS,
        matchId=first["matchId"],
        eventId=first["eventId"],
        events=receipts,
    )


def _identified(event: Event, key: str | None) -> Event:
    """The event under the sender's key, if it brings no id of its own."""
    if key is None or not isinstance(event.event_id, AssignedId):
        return event
    return event.model_copy(update={"event_id": key})


def receipt_of(event: Event, rules: EventRules) -> Receipt:
    """What the sender of an event learns of it."""
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
    """The event as the topic carries it, with the attributes of CloudEvents as headers."""
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
