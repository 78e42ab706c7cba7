"""The revision of an event that counts within a batch, and the row that it makes."""

import json
from dataclasses import fields
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.consume_goal.consume import pending_records
from functions.consume_goal.revisions import (
    ReceivedEvent,
    is_irrelevant,
    latest_revisions,
    precedence,
    revision_of,
)
from functions.shared.contract.event import IdentifiedEvent
from functions.shared.contract.highlight import Facts, Status
from functions.shared.contract.topics import HIGHLIGHTS_PENDING
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.highlight_sql import COLUMNS, FACTS
from functions.shared.postgres.highlights import ChangedHighlight
from tests.support.builders.events import MATCH, OTHER_MATCH, id_of, identified
from tests.support.builders.revisions import RULES

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def received(traceparent: str | None = None, **fields: Any) -> ReceivedEvent:
    """Return an event as consume-goal receives it."""
    return ReceivedEvent(identified(**fields), ReceivedRecord(None, traceparent, None))


def revisions() -> st.SearchStrategy[list[ReceivedEvent]]:
    """Return revisions of a few events of two matches; many have equal precedence."""
    return st.lists(
        st.builds(
            received,
            matchId=st.sampled_from([str(MATCH), str(OTHER_MATCH)]),
            eventId=st.sampled_from("ab"),
            revision=st.integers(0, 3),
            retracted=st.booleans(),
            player=st.sampled_from(["Messi", "Mbappé"]),
        ),
        max_size=12,
    )


def precedences(events: list[ReceivedEvent]) -> dict[tuple[UUID, str], tuple[int, bool]]:
    """Return the precedence of the revision of each event, of which there must be one."""
    assert len({(event.match_id, event.event_id) for event, _ in events}) == len(events)
    return {(event.match_id, event.event_id): precedence(event) for event, _ in events}


@given(revisions(), st.randoms())
def test_in_any_order_the_highest_revision_counts(events: list[ReceivedEvent], random: Any) -> None:
    """One of each event, in whichever order they arrive."""
    highest: dict[tuple[UUID, str], tuple[int, bool]] = {}
    for event, _ in events:
        key = (event.match_id, event.event_id)
        highest[key] = max(highest.get(key, (-1, False)), (event.revision, event.retracted))
    shuffled = random.sample(events, len(events))
    assert (
        precedences(latest_revisions(events)) == precedences(latest_revisions(shuffled)) == highest
    )


@given(revisions())
def test_the_latest_revisions_of_latest_revisions_are_the_same(events: list[ReceivedEvent]) -> None:
    """A batch that is delivered twice changes nothing."""
    assert latest_revisions(latest_revisions(events)) == latest_revisions(events)
    assert precedences(latest_revisions([*events, *events])) == precedences(
        latest_revisions(events)
    )


def test_of_two_equal_revisions_the_first_counts() -> None:
    """As in the table, where the first one stays."""
    first, second = received(player="Messi"), received(player="Mbappé")
    assert latest_revisions([first, second]) == [first]


def test_a_retraction_precedes_the_revision_that_it_retracts() -> None:
    """Whether it arrives before or after it."""
    goal, retraction = received(revision=1), received(revision=1, retracted=True)
    assert (
        latest_revisions([goal, retraction]) == latest_revisions([retraction, goal]) == [retraction]
    )


def test_a_higher_revision_reinstates_a_retracted_goal() -> None:
    """As VAR may."""
    retraction, again = received(revision=1, retracted=True), received(revision=2)
    assert latest_revisions([again, retraction]) == [again]


def test_the_latest_revision_keeps_its_record() -> None:
    """The record has the trace, and the identifier of a rejection."""
    high, low = received(TRACE, revision=2), received(revision=1)
    ((_, delivery),) = latest_revisions([low, high])
    assert delivery.traceparent == TRACE


@pytest.mark.parametrize(
    "event_type", ["goal", "GOAL", "Own_Goal", "own goal", "ownGoal", "goal-penalty"]
)
def test_a_goal_is_relevant(event_type: str) -> None:
    """In any spelling."""
    assert not is_irrelevant(identified(eventType=event_type), RULES)


@pytest.mark.parametrize(
    "event_type", ["yellow_card", "goal_kick", "penalty", "goals", "shootout_goal"]
)
def test_another_event_is_irrelevant(event_type: str) -> None:
    """Unless it may revise a highlight."""
    assert is_irrelevant(identified(eventType=event_type), RULES)
    assert not is_irrelevant(identified(eventType=event_type, revision=1), RULES)
    assert not is_irrelevant(identified(eventType=event_type, retracted=True), RULES)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, Status.PENDING_AI),
        ({"revision": 3, "eventType": "PENALTY_GOAL"}, Status.PENDING_AI),
        ({"retracted": True}, Status.RETRACTED),
        ({"revision": 1, "eventType": "yellow_card"}, Status.IGNORED),
        ({"retracted": True, "eventType": "yellow_card"}, Status.RETRACTED),
        ({"revision": 1, "period": "shootout"}, Status.IGNORED),
    ],
)
def test_a_row_is_pending_if_its_goal_is_valid(fields: dict[str, Any], status: Status) -> None:
    """Others are recorded too, so that no lower revision makes a highlight of them."""
    event, delivery = received(TRACE, **fields)
    recorded = revision_of(event, delivery, RULES)
    assert recorded.status == status
    assert recorded.traceparent == TRACE
    assert recorded.id == str(id_of(event.match_id, event.event_id))


def test_a_row_has_every_field_of_the_event() -> None:
    """By its name; the store has a column for each."""
    recorded = revision_of(*received(), RULES).to_row()
    assert set(recorded) == set(COLUMNS)
    made = {"id", "status", "traceparent", "side", "team_key"}
    assert set(recorded) == IdentifiedEvent.model_fields.keys() | made


def test_a_row_has_the_values_that_the_event_has() -> None:
    """Those that pydantic would give."""
    event, delivery = received(TRACE, player="Messi", metadata={"a": [1, {"b": None}]})
    recorded = revision_of(event, delivery, RULES).to_row()
    assert recorded.items() >= event.model_dump().items()


def test_every_fact_of_a_text_is_a_field_of_the_event() -> None:
    """Of the same name, and in the order in which a claim returns them."""
    assert tuple(fact.name for fact in fields(Facts)) == FACTS
    fields_of_event = IdentifiedEvent.model_fields
    assert set(FACTS) <= fields_of_event.keys()


def test_one_record_announces_all_pending_highlights() -> None:
    """With the trace of the batch's first event; highlights that are READY are not in it."""
    changes = [
        ChangedHighlight(UUID(int=1), Status.PENDING_AI),
        ChangedHighlight(UUID(int=2), Status.PENDING_AI),
        ChangedHighlight(UUID(int=3), Status.READY),
    ]
    (record,) = pending_records(changes, received(TRACE))
    assert (record.topic, record.key) == (HIGHLIGHTS_PENDING, str(MATCH))
    assert record.headers == {"traceparent": TRACE}
    assert json.loads(record.value) == {"highlightIds": [str(UUID(int=1)), str(UUID(int=2))]}


def test_the_announcement_of_an_event_without_a_trace_has_no_header() -> None:
    """There is no empty header."""
    (record,) = pending_records([ChangedHighlight(UUID(int=1), Status.PENDING_AI)], received())
    assert record.headers == {}


@pytest.mark.parametrize("status", [Status.READY, Status.FAILED_AI, Status.RETRACTED])
def test_highlights_that_are_not_pending_are_not_announced(status: Status) -> None:
    """After a correction of facts that the text does not state, or a retraction."""
    assert pending_records([ChangedHighlight(UUID(int=1), status)], received(TRACE)) == []


@pytest.mark.parametrize(
    ("team", "side", "key"),
    [
        ("home", "home", "argentina"), ("HOME", "home", "argentina"),
        ("Argentina", "home", "argentina"), ("ARGENTINA", "home", "argentina"),
        ("france", "away", "france"), ("Peru", None, "peru"), (None, None, None),
    ],
)  # fmt: skip
def test_a_row_has_the_side_and_the_key_of_its_name(
    team: str | None, side: str | None, key: str | None
) -> None:
    """Whichever of the two the event states."""
    recorded = revision_of(*received(team=team, homeTeam="Argentina", awayTeam="France"), RULES)
    assert (recorded.side, recorded.team_key) == (side, key)


@pytest.mark.parametrize(
    "team", ["São Paulo", "Sa\u0303o Paulo", "SÃO PAULO", "sa\u0303o paulo"]
)  # fmt: skip
def test_a_name_has_the_same_key_in_every_form_of_unicode(team: str) -> None:
    """Composed or not, in capitals or not; the name itself is kept as it is."""
    recorded = revision_of(*received(team=team, homeTeam="S\u00e3o Paulo"), RULES)
    assert (recorded.side, recorded.team_key, recorded.event.team) == (
        "home", "s\u00e3o paulo", team,
    )  # fmt: skip


def test_a_greek_name_has_the_same_key_in_capitals() -> None:
    """Its last letter has a form of its own."""
    assert (
        revision_of(*received(team="ΠΑΟΚ ΆΡΗΣ"), RULES).team_key
        == revision_of(*received(team="παοκ άρης"), RULES).team_key
    )


def test_a_team_with_the_name_of_both_sides_has_no_side() -> None:
    """It could be either."""
    recorded = revision_of(*received(team="Reds", homeTeam="Reds", awayTeam="REDS"), RULES)
    assert (recorded.side, recorded.team_key) == (None, "reds")
