"""Which revision of an event counts within one batch, and what becomes of it."""

import json
from dataclasses import fields
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.consume_goal.consume import (
    Taken,
    announcement,
    is_irrelevant,
    latest_revisions,
    rank,
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


def taken(traceparent: str | None = None, **fields: Any) -> Taken:
    """Return an event as it was delivered."""
    return identified(**fields), ReceivedRecord(None, traceparent, None)


def revisions() -> st.SearchStrategy[list[Taken]]:
    """Return revisions of a few events of two matches; many are equal in rank."""
    return st.lists(
        st.builds(
            taken,
            matchId=st.sampled_from([str(MATCH), str(OTHER_MATCH)]),
            eventId=st.sampled_from("ab"),
            revision=st.integers(0, 3),
            retracted=st.booleans(),
            player=st.sampled_from(["Messi", "Mbappé"]),
        ),
        max_size=12,
    )


def ranks(events: list[Taken]) -> dict[tuple[UUID, str], tuple[int, bool]]:
    """Return the rank of what counts of each event."""
    assert len({(event.match_id, event.event_id) for event, _ in events}) == len(events)
    return {(event.match_id, event.event_id): rank(event) for event, _ in events}


@given(revisions(), st.randoms())
def test_in_any_order_the_highest_revision_counts(events: list[Taken], random: Any) -> None:
    """Of each event one, and it is the same whatever came first."""
    highest: dict[tuple[UUID, str], tuple[int, bool]] = {}
    for event, _ in events:
        key = (event.match_id, event.event_id)
        highest[key] = max(highest.get(key, (-1, False)), (event.revision, event.retracted))
    shuffled = random.sample(events, len(events))
    assert ranks(latest_revisions(events)) == ranks(latest_revisions(shuffled)) == highest


@given(revisions())
def test_winners_of_winners_are_the_same(events: list[Taken]) -> None:
    """A batch that is delivered twice says nothing new."""
    assert latest_revisions(latest_revisions(events)) == latest_revisions(events)
    assert ranks(latest_revisions([*events, *events])) == ranks(latest_revisions(events))


def test_of_two_equal_revisions_the_first_counts() -> None:
    """As in the table: what came first stays."""
    first, second = taken(player="Messi"), taken(player="Mbappé")
    assert latest_revisions([first, second]) == [first]


def test_a_retraction_outweighs_the_revision_that_it_takes_back() -> None:
    """Whether it came before or after."""
    goal, retraction = taken(revision=1), taken(revision=1, retracted=True)
    assert (
        latest_revisions([goal, retraction]) == latest_revisions([retraction, goal]) == [retraction]
    )


def test_a_goal_given_again_outweighs_its_retraction() -> None:
    """VAR may change its mind with a higher revision."""
    retraction, again = taken(revision=1, retracted=True), taken(revision=2)
    assert latest_revisions([again, retraction]) == [again]


def test_the_delivery_that_brought_the_winner_stays_with_it() -> None:
    """It is what a failure is called by, and the trace that is followed."""
    high, low = taken(TRACE, revision=2), taken(revision=1)
    ((_, delivery),) = latest_revisions([low, high])
    assert delivery.traceparent == TRACE


@pytest.mark.parametrize(
    "event_type", ["goal", "GOAL", "Own_Goal", "own goal", "ownGoal", "goal-penalty"]
)
def test_a_goal_is_a_highlight(event_type: str) -> None:
    """In any spelling."""
    assert not is_irrelevant(identified(eventType=event_type), RULES)


@pytest.mark.parametrize(
    "event_type", ["yellow_card", "goal_kick", "penalty", "goals", "shootout_goal"]
)
def test_another_event_passes_by(event_type: str) -> None:
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
def test_a_row_awaits_its_text_if_the_goal_stands(fields: dict[str, Any], status: Status) -> None:
    """One that does not is kept too, so that no lower revision makes it stand."""
    event, delivery = taken(TRACE, **fields)
    recorded = revision_of(event, delivery, RULES)
    assert recorded.status == status
    assert recorded.traceparent == TRACE
    assert recorded.id == str(id_of(event.match_id, event.event_id))


def test_a_row_has_every_field_of_the_event() -> None:
    """By its name; the store has a column for each."""
    recorded = revision_of(*taken(), RULES).to_row()
    assert set(recorded) == set(COLUMNS)
    made = {"id", "status", "traceparent", "side", "team_key"}
    assert set(recorded) == IdentifiedEvent.model_fields.keys() | made


def test_a_row_has_the_values_that_the_event_has() -> None:
    """Those that pydantic would give."""
    event, delivery = taken(TRACE, player="Messi", metadata={"a": [1, {"b": None}]})
    recorded = revision_of(event, delivery, RULES).to_row()
    assert recorded.items() >= event.model_dump().items()


def test_every_fact_of_a_text_is_a_field_of_the_event() -> None:
    """Of the same name and type, and in the order in which a claim returns them."""
    assert tuple(fact.name for fact in fields(Facts)) == FACTS
    fields_of_event = IdentifiedEvent.model_fields
    assert set(FACTS) <= fields_of_event.keys()


def test_one_announcement_names_all_that_awaits_its_text() -> None:
    """With the trace that brought the first of it; what is READY already is not named."""
    changes = [
        ChangedHighlight(UUID(int=1), Status.PENDING_AI),
        ChangedHighlight(UUID(int=2), Status.PENDING_AI),
        ChangedHighlight(UUID(int=3), Status.READY),
    ]
    (record,) = announcement(changes, taken(TRACE))
    assert (record.topic, record.key) == (HIGHLIGHTS_PENDING, str(MATCH))
    assert record.headers == {"traceparent": TRACE}
    assert json.loads(record.value) == {"highlightIds": [str(UUID(int=1)), str(UUID(int=2))]}


def test_an_announcement_without_a_trace_has_no_header() -> None:
    """A header says something or is not there."""
    (record,) = announcement([ChangedHighlight(UUID(int=1), Status.PENDING_AI)], taken())
    assert record.headers == {}


@pytest.mark.parametrize("status", [Status.READY, Status.FAILED_AI, Status.RETRACTED])
def test_what_needs_no_text_is_not_announced(status: Status) -> None:
    """A correction of what the text does not tell, or a retraction."""
    assert announcement([ChangedHighlight(UUID(int=1), status)], taken(TRACE)) == []


@pytest.mark.parametrize(
    ("team", "side", "key"),
    [
        ("home", "home", "argentina"), ("HOME", "home", "argentina"),
        ("Argentina", "home", "argentina"), ("ARGENTINA", "home", "argentina"),
        ("france", "away", "france"), ("Peru", None, "peru"), (None, None, None),
    ],
)  # fmt: skip
def test_a_row_knows_the_side_and_its_name(
    team: str | None, side: str | None, key: str | None
) -> None:
    """Whichever of the two the event says."""
    recorded = revision_of(*taken(team=team, homeTeam="Argentina", awayTeam="France"), RULES)
    assert (recorded.side, recorded.team_key) == (side, key)


@pytest.mark.parametrize(
    "team", ["São Paulo", "Sa\u0303o Paulo", "SÃO PAULO", "sa\u0303o paulo"]
)  # fmt: skip
def test_a_name_is_the_same_in_every_form_of_unicode(team: str) -> None:
    """Composed or not, in capitals or not; it is kept as it came."""
    recorded = revision_of(*taken(team=team, homeTeam="S\u00e3o Paulo"), RULES)
    assert (recorded.side, recorded.team_key, recorded.event.team) == (
        "home", "s\u00e3o paulo", team,
    )  # fmt: skip


def test_a_greek_name_is_the_same_in_capitals() -> None:
    """Whose last letter has a form of its own."""
    assert (
        revision_of(*taken(team="ΠΑΟΚ ΆΡΗΣ"), RULES).team_key
        == revision_of(*taken(team="παοκ άρης"), RULES).team_key
    )


def test_a_team_of_both_names_is_of_no_side() -> None:
    """Nobody can tell which."""
    recorded = revision_of(*taken(team="Reds", homeTeam="Reds", awayTeam="REDS"), RULES)
    assert (recorded.side, recorded.team_key) == (None, "reds")
