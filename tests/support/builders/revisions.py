"""Revisions of events in every order of arrival, and the rows that are expected of them.

The same arrivals serve a fake store and Postgres.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st

from functions.shared.contract.event import IdentifiedEvent
from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.event_types import HighlightTypes
from tests.support.builders.events import MATCH, id_of, identified

# Events of any calendar year are accepted.
RULES = EventRules(HighlightTypes.of("goal,own_goal,penalty_goal"), timedelta.max)

Batches = Sequence[Sequence[IdentifiedEvent]]


@dataclass(frozen=True)
class Expected:
    """The row that is expected for one event in the end."""

    stands: bool
    revision: int
    retracted: bool
    event_type: str
    player: str | None


def of_match(batches: Batches, match_id: UUID) -> Batches:
    """Return the same batches for another match."""
    return [
        [event.model_copy(update={"match_id": match_id}) for event in batch] for batch in batches
    ]


def in_a_new_match(batches: Batches) -> Batches:
    """Return the same batches in a match that no earlier example used."""
    return of_match(batches, uuid4())


def expected(batches: Batches) -> Mapping[UUID, Expected]:
    """Return the expected row of each highlight, from the highest revision of its event."""
    highest: dict[UUID, IdentifiedEvent] = {}
    for event in (event for batch in batches for event in batch):
        known = highest.setdefault(id_of(event.match_id, event.event_id), event)
        if _rank(event) > _rank(known):
            highest[id_of(event.match_id, event.event_id)] = event
    return {id_: _made_of(event) for id_, event in highest.items() if _is_kept(event)}


@st.composite
def arrivals(draw: st.DrawFn) -> Batches:
    """Draw goals, corrections, retractions, type changes: shuffled, duplicated, in batches."""
    revisions = [
        revision
        for name in draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True))
        for revision in draw(_revisions(name))
    ]
    again = draw(st.lists(st.sampled_from(revisions), max_size=4))
    return _cut(draw(st.permutations([*revisions, *again])), draw(st.sets(st.integers(1, 20))))


def _revisions(event_id: str) -> st.SearchStrategy[list[IdentifiedEvent]]:
    """Return up to five revisions of one event, each of a different rank."""
    one = st.fixed_dictionaries(
        {
            "revision": st.integers(0, 4),
            "retracted": st.sampled_from([False, False, True]),
            "eventType": st.sampled_from(["goal", "Goal", "own_goal", "yellow_card"]),
            "player": st.sampled_from([None, "Messi", "Mbappé"]),
        }
    )
    return st.lists(
        one.map(lambda fields: identified(eventId=event_id, **fields)),
        min_size=1,
        max_size=5,
        unique_by=_rank,
    )


def _cut(events: Sequence[IdentifiedEvent], positions: Iterable[int]) -> Batches:
    inner = sorted(position for position in positions if position < len(events))
    bounds = [0, *inner, len(events)]
    return [events[start:end] for start, end in pairwise(bounds)]


def _rank(event: IdentifiedEvent) -> tuple[int, bool]:
    return event.revision, event.retracted


def _is_highlight(event: IdentifiedEvent) -> bool:
    return not event.retracted and event.event_type in {"goal", "own_goal", "penalty_goal"}


def _is_kept(event: IdentifiedEvent) -> bool:
    """Whether it leaves a row: an event that is no highlight and revises nothing is skipped."""
    return _is_highlight(event) or event.retracted or event.revision > 0


def _made_of(event: IdentifiedEvent) -> Expected:
    return Expected(
        _is_highlight(event), event.revision, event.retracted, event.event_type, event.player
    )


def envelope(events: Iterable[IdentifiedEvent], *, start: int = 0) -> list[dict[str, Any]]:
    """Return a CloudEvents batch of records from offset `start`, as the trigger sends it."""
    return [
        cloud_event(event.model_dump(mode="json", by_alias=True, exclude_none=True), offset)
        for offset, event in enumerate(events, start)
    ]


def cloud_event(data: Any, offset: int, **attributes: Any) -> dict[str, Any]:
    """Return one CloudEvent with the coordinates of its record."""
    return {
        "specversion": "1.0",
        "id": f"partition:0/offset:{offset}",
        "source": "kafka:///match-events",
        "type": "goalstream.match-event",
        "kafkatopic": "match-events",
        "kafkapartition": 0,
        "kafkaoffset": str(offset),
        "partitionkey": str(MATCH),
        "datacontenttype": "application/json",
        "data": data,
        **attributes,
    }
