"""Revisions of events: the one that counts, as the store records it."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from functions.shared.contract.event import IdentifiedEvent, highlight_id
from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.highlight import Status
from functions.shared.contract.team_names import fold_name, side_of
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.highlights import Revision


class ReceivedEvent(NamedTuple):
    """A valid event, and the record that it came in."""

    event: IdentifiedEvent
    record: ReceivedRecord


def is_irrelevant(event: IdentifiedEvent, rules: EventRules) -> bool:
    """Return whether an event neither makes a highlight nor may revise one."""
    return not (event.revision or event.retracted or rules.makes_highlight(event))


def latest_revisions(received: Iterable[ReceivedEvent]) -> list[ReceivedEvent]:
    """Return the highest revision of each event; of equal ones a retraction, or else the first.

    The table decides in the same way, by the statement RECORD.
    """
    latest: dict[tuple[UUID, str], ReceivedEvent] = {}
    for each in received:
        key = (each.event.match_id, each.event.event_id)
        known = latest.get(key)
        if known is None or precedence(each.event) > precedence(known.event):
            latest[key] = each
    return list(latest.values())


def precedence(event: IdentifiedEvent) -> tuple[int, bool]:
    """Return the key by which revisions of an event are compared; the highest wins."""
    return event.revision, event.retracted


def revision_of(event: IdentifiedEvent, record: ReceivedRecord, rules: EventRules) -> Revision:
    """Return the event as the store records it."""
    side = side_of(event.team, event.home_team, event.away_team)
    name = {"home": event.home_team, "away": event.away_team}.get(side or "", event.team)
    return Revision(
        event,
        id=highlight_id(event.match_id, event.event_id),
        side=side,
        team_key=name and fold_name(name),
        status=initial_status(event, rules),
        traceparent=record.traceparent,
    )


def initial_status(event: IdentifiedEvent, rules: EventRules) -> Status:
    """Return the status of an event of which no other revision is recorded."""
    if event.retracted:
        return Status.RETRACTED
    return Status.PENDING_AI if rules.makes_highlight(event) else Status.IGNORED
