"""consume-goal: batches of records in, highlights and announcements out."""

import asyncio
import base64
import json
import re
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.consume_goal.app import BODY_LIMIT, build_app
from functions.consume_goal.consume import EventConsumer
from functions.shared.contract.event import IdentifiedEvent
from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.event_types import HighlightTypes
from functions.shared.contract.highlight import Status
from functions.shared.contract.topics import HIGHLIGHTS_PENDING
from functions.shared.inbound.cloudevents import BATCH, STRUCTURED
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.kafka.publisher import Record
from tests.support.builders.enrichments import enrichment
from tests.support.builders.events import MATCH, NAMES, OTHER_MATCH, event_json, id_of, identified
from tests.support.builders.revisions import (
    RULES,
    Batches,
    arrivals,
    cloud_event,
    envelope,
    expected,
)
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakeCache, FakePublisher, FakeStore

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
GOAL = id_of(MATCH, "goal-1")


class ConsumeGoal:
    """The function with its services, and a trigger that calls it."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.cache = FakeCache()
        self.broker = FakePublisher()
        consume = EventConsumer(self.store, self.cache, self.broker, RULES)
        self.trigger = Client(build_app(lambda: consume))

    def post(self, body: Any, content_type: str = BATCH, **headers: str) -> httpx.Response:
        """Return the response to an envelope."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.trigger.post(
            "/", content=content, headers={"Content-Type": content_type, **headers}
        )

    def take(self, *events: IdentifiedEvent) -> None:
        """Deliver these events in one batch, of which none is rejected."""
        response = self.post(envelope(events))
        assert (response.status_code, response.json()) == (200, {"batchItemFailures": []})

    def failures(self, records: Sequence[dict[str, Any]]) -> list[int]:
        """Deliver these records; return the offsets of the rejected ones, in order."""
        response = self.post(records)
        assert response.status_code == 200, response.text
        failed = response.json()["batchItemFailures"]
        assert all(failure["reason"] and failure["retryable"] is False for failure in failed)
        assert {failure["itemIdentifier"]["partition"] for failure in failed} <= {"match-events-0"}
        return sorted(failure["itemIdentifier"]["offset"] for failure in failed)

    def enrich(self) -> None:
        """Enrich every pending highlight with a text of its facts."""
        asyncio.run(self._enrich())

    async def _enrich(self) -> None:
        self.store.now += 3600
        claims = await self.store.claim(limit=100, lease_s=60)
        await self.store.finish(
            [
                (claim, enrichment(title_of(claim.facts.event_type, claim.facts.player), ""))
                for claim in claims
            ]
        )

    def status(self, highlight: UUID = GOAL) -> str | None:
        """Return the status of a highlight, or None without one."""
        return self.store.rows[highlight]["status"] if highlight in self.store.rows else None


def title_of(event_type: str, player: str | None) -> str:
    """Return a text with these facts."""
    return f"{event_type} by {player}"


@pytest.fixture(name="consume_goal")
def _consume_goal() -> ConsumeGoal:
    """The function without any highlight."""
    return ConsumeGoal()


def test_a_goal_becomes_a_highlight(consume_goal: ConsumeGoal) -> None:
    """With all facts of the event; it is pending."""
    consume_goal.take(
        identified(player="John Doe", minute=45, addedTime=2, homeScore=1, awayScore=0)
    )
    row = consume_goal.store.rows[GOAL]
    assert row["status"] == Status.PENDING_AI
    assert (row["player"], row["minute"], row["addedTime"]) == ("John Doe", 45, 2)
    assert (row["homeScore"], row["awayScore"], row["team"]) == (1, 0, None)
    assert (row["title"], row["revision"], row["matchId"]) == (None, 0, str(MATCH))


@pytest.mark.parametrize("event_type", ["goal", "own_goal", "penalty_goal", "GOAL", "Own_Goal"])
def test_every_type_of_goal_makes_a_highlight(event_type: str, consume_goal: ConsumeGoal) -> None:
    """In any case."""
    consume_goal.take(identified(eventType=event_type))
    assert consume_goal.status() == Status.PENDING_AI


@pytest.mark.parametrize("event_type", ["yellow_card", "kick_off", "goal_kick", "x"])
def test_another_event_is_ignored(event_type: str, consume_goal: ConsumeGoal) -> None:
    """There is no statement, no page is dropped, and nothing is announced."""
    consume_goal.take(identified(eventType=event_type))
    assert consume_goal.store.rows == {}
    assert consume_goal.store.statements == 0
    assert consume_goal.cache.changed == []
    assert consume_goal.broker.announced == []


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_script_is_stored_unchanged(name: str, consume_goal: ConsumeGoal) -> None:
    """No character is changed."""
    consume_goal.take(identified(player=name, team=name))
    assert (consume_goal.store.rows[GOAL]["player"], consume_goal.store.rows[GOAL]["team"]) == (
        name,
        name,
    )


def test_a_batch_is_one_statement(consume_goal: ConsumeGoal) -> None:
    """However many records it has."""
    consume_goal.take(*(identified(eventId=f"{n}") for n in range(500)))
    assert len(consume_goal.store.rows) == 500
    assert consume_goal.store.statements == 1


def test_redelivery_of_a_batch_changes_nothing(consume_goal: ConsumeGoal) -> None:
    """There is no second highlight, and no text is lost."""
    events = [identified(eventId=f"{n}", player="Messi") for n in range(3)]
    consume_goal.take(*events)
    consume_goal.enrich()
    before = {id_: dict(row) for id_, row in consume_goal.store.rows.items()}
    announced = len(consume_goal.broker.announced)
    consume_goal.take(*events)
    consume_goal.take(*events, *events)
    assert consume_goal.store.rows == before
    assert len(consume_goal.broker.announced) == announced


def test_new_highlights_are_announced(consume_goal: ConsumeGoal) -> None:
    """In one announcement, so that they are enriched together."""
    consume_goal.take(identified(), identified(eventId="2"), identified(matchId=str(OTHER_MATCH)))
    (record,) = consume_goal.broker.announced
    assert record.topic == HIGHLIGHTS_PENDING
    assert set(json.loads(record.value)["highlightIds"]) == {
        str(GOAL), str(id_of(MATCH, "2")), str(id_of(OTHER_MATCH, "goal-1")),
    }  # fmt: skip


def test_a_highlight_is_recorded_before_it_is_announced() -> None:
    """Otherwise enrich-batch would not find it."""
    consume_goal = ConsumeGoal()
    seen: list[bool] = []

    class CheckingPublisher(FakePublisher):
        def announce(self, records: Sequence[Record]) -> None:
            seen.append(bool(records) and GOAL in consume_goal.store.rows)

    consume = EventConsumer(consume_goal.store, consume_goal.cache, CheckingPublisher(), RULES)
    Client(build_app(lambda: consume)).post(
        "/", content=json.dumps(envelope([identified()])), headers={"Content-Type": BATCH}
    )
    assert seen == [True]


def test_a_correction_of_the_facts_is_enriched_again(consume_goal: ConsumeGoal) -> None:
    """The text that is wrong is removed at once."""
    consume_goal.take(identified(player="Messi"))
    consume_goal.enrich()
    consume_goal.take(identified(player="Mbappé", revision=1))
    assert consume_goal.status() == Status.PENDING_AI
    assert consume_goal.store.rows[GOAL]["title"] is None
    assert len(consume_goal.broker.announced) == 2
    consume_goal.enrich()
    assert consume_goal.store.rows[GOAL]["title"] == "goal by Mbappé"


def test_a_correction_of_a_fact_that_is_not_in_the_text_keeps_the_text(
    consume_goal: ConsumeGoal,
) -> None:
    """Another time is no reason to ask an AI again."""
    consume_goal.take(identified(player="Messi"))
    consume_goal.enrich()
    consume_goal.take(identified(player="Messi", revision=1, occurredAt="2025-12-08T20:17:00Z"))
    assert (consume_goal.status(), consume_goal.store.rows[GOAL]["title"]) == (
        Status.READY,
        "goal by Messi",
    )
    assert consume_goal.store.rows[GOAL]["occurredAt"].startswith("2025-12-08T20:17:00")
    assert len(consume_goal.broker.announced) == 1


def test_a_late_lower_revision_changes_nothing(consume_goal: ConsumeGoal) -> None:
    """The record is accepted."""
    consume_goal.take(identified(player="Mbappé", revision=2))
    consume_goal.take(identified(player="Messi", revision=1))
    assert consume_goal.store.rows[GOAL]["player"] == "Mbappé"


def test_a_retracted_goal_is_stored_as_retracted(consume_goal: ConsumeGoal) -> None:
    """A retracted highlight has no text."""
    consume_goal.take(identified(player="Messi"))
    consume_goal.enrich()
    consume_goal.take(identified(player="Messi", revision=1, retracted=True))
    assert (consume_goal.status(), consume_goal.store.rows[GOAL]["title"]) == (
        Status.RETRACTED,
        None,
    )


def test_a_retraction_before_its_goal_leaves_a_tombstone(consume_goal: ConsumeGoal) -> None:
    """The goal that arrives later does not become a highlight."""
    consume_goal.take(identified(retracted=True, revision=1))
    consume_goal.take(identified())
    assert consume_goal.status() == Status.RETRACTED
    assert consume_goal.broker.announced == []


def test_a_goal_that_is_corrected_to_another_type_is_retracted(consume_goal: ConsumeGoal) -> None:
    """A later revision may change it back."""
    consume_goal.take(identified())
    consume_goal.take(identified(eventType="shot_on_target", revision=1))
    assert consume_goal.status() == Status.RETRACTED
    consume_goal.take(identified(eventType="own_goal", revision=2))
    assert consume_goal.status() == Status.PENDING_AI


def test_an_event_that_is_corrected_to_a_goal_makes_a_highlight(consume_goal: ConsumeGoal) -> None:
    """Although it made none at first."""
    consume_goal.take(identified(eventType="shot_on_target"))
    consume_goal.take(identified(eventType="goal", revision=1))
    assert consume_goal.status() == Status.PENDING_AI


def test_a_failed_highlight_is_enriched_again_when_its_facts_change(
    consume_goal: ConsumeGoal,
) -> None:
    """With all its attempts."""
    consume_goal.take(identified(player="Messi"))
    consume_goal.store.rows[GOAL]["status"] = Status.FAILED_AI
    assert consume_goal.status() == Status.FAILED_AI
    consume_goal.take(identified(player="Mbappé", revision=1))
    assert (consume_goal.status(), consume_goal.store.rows[GOAL]["attempts"]) == (
        Status.PENDING_AI,
        0,
    )


@given(arrivals(), st.booleans())
def test_in_any_order_of_arrival_the_highest_revision_wins(
    batches: Batches, enriched_between: bool
) -> None:
    """Goals, corrections, retractions and changes of type, repeated, in any batches, end alike."""
    consume_goal = ConsumeGoal()
    for batch in batches:
        consume_goal.take(*batch)
        if enriched_between:
            consume_goal.enrich()
    consume_goal.enrich()
    rows = consume_goal.store.rows
    assert set(rows) == set(expected(batches))
    for id_, end in expected(batches).items():
        row = rows[id_]
        others = {Status.RETRACTED} if end.retracted else {Status.RETRACTED, Status.IGNORED}
        assert row["status"] in ({Status.READY} if end.stands else others)
        assert row["title"] == (title_of(end.event_type, end.player) if end.stands else None)
        assert (row["revision"], row["retracted"]) == (end.revision, end.retracted)
        assert (row["eventType"], row["player"]) == (end.event_type, end.player)


BAD: list[Callable[[int], dict[str, Any]]] = [
    lambda at: cloud_event(None, at),
    lambda at: cloud_event([], at),
    lambda at: cloud_event("goal", at),
    lambda at: cloud_event(event_json(), at),  # without an id
    lambda at: cloud_event(event_json(eventId="x", matchId="1"), at),
    lambda at: cloud_event(event_json(eventId="x", occurredAt=0), at),
    lambda at: cloud_event(event_json(eventId="x", minute="45"), at),
    lambda at: cloud_event(event_json(eventId="x" * 129), at),
    lambda at: cloud_event(event_json(eventId="x", player="\0"), at),
    lambda at: {**cloud_event(None, at), "data_base64": "!"} | {"data": None},
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_an_invalid_record_is_rejected_alone(
    bad: Callable[[int], dict[str, Any]], consume_goal: ConsumeGoal
) -> None:
    """The others of its batch are recorded."""
    goals = [identified(eventId=f"{n}") for n in range(3)]
    records = [*envelope(goals[:2]), bad(2), *envelope(goals[2:], start=3)]
    assert consume_goal.failures(records) == [2]
    assert set(consume_goal.store.rows) == {id_of(MATCH, f"{n}") for n in range(3)}


@given(st.lists(st.sampled_from([None, *BAD]), max_size=12))
def test_exactly_the_invalid_records_of_any_batch_are_rejected(
    mixture: list[Callable[[int], dict[str, Any]] | None],
) -> None:
    """The valid ones are highlights."""
    consume_goal = ConsumeGoal()
    records = [
        bad(at) if bad else envelope([identified(eventId=f"{at}")], start=at)[0]
        for at, bad in enumerate(mixture)
    ]
    assert consume_goal.failures(records) == [at for at, bad in enumerate(mixture) if bad]
    assert set(consume_goal.store.rows) == {
        id_of(MATCH, f"{at}") for at, bad in enumerate(mixture) if not bad
    }


def test_a_value_that_postgres_refuses_rejects_its_record_alone(consume_goal: ConsumeGoal) -> None:
    """The others are recorded and announced."""
    consume_goal.store.refuses = lambda row: row.get("player") == "unkeepable"
    events = [identified(eventId=f"{n}", player="unkeepable" if n == 2 else "x") for n in range(5)]
    assert consume_goal.failures(envelope(events)) == [2]
    assert len(consume_goal.store.rows) == 4
    (announced,) = consume_goal.broker.announced
    assert len(json.loads(announced.value)["highlightIds"]) == 4


def test_a_revision_that_postgres_refuses_leaves_the_others_of_its_event(
    consume_goal: ConsumeGoal,
) -> None:
    """The highest that can be stored wins."""
    consume_goal.store.refuses = lambda row: row.get("player") == "unkeepable"
    events = [identified(player="Messi"), identified(player="unkeepable", revision=1)]
    assert consume_goal.failures(envelope(events)) == [1]
    assert consume_goal.store.rows[GOAL]["player"] == "Messi"


def test_an_invalid_trace_does_not_reject_its_goal(consume_goal: ConsumeGoal) -> None:
    """Every goal on the topic becomes a highlight, whatever its headers are (invariant 2)."""
    consume_goal.store.refuses = lambda row: "\0" in (row.get("traceparent") or "")
    record = envelope([identified()])[0] | {"traceparent": "00-\0"}
    assert consume_goal.failures([record]) == []
    assert consume_goal.status() == Status.PENDING_AI


def test_an_unavailable_database_is_a_503(consume_goal: ConsumeGoal) -> None:
    """So the batch is delivered again; nothing is announced meanwhile."""
    consume_goal.store.away = True
    response = consume_goal.post(envelope([identified()]))
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["content-type"] == "application/problem+json"
    assert consume_goal.broker.announced == []
    consume_goal.store.away = False
    consume_goal.take(identified())
    assert consume_goal.status() == Status.PENDING_AI


def test_an_unavailable_cache_does_no_harm(consume_goal: ConsumeGoal) -> None:
    """The cache is best effort."""
    consume_goal.cache.away = True
    consume_goal.take(identified())
    assert consume_goal.status() == Status.PENDING_AI


def test_cached_pages_of_changed_matches_are_dropped(consume_goal: ConsumeGoal) -> None:
    """No page that was read before the change is cached after it."""

    async def page(match_id: UUID) -> None:
        _, lease = await consume_goal.cache.lease(match_id, ":50")
        await consume_goal.cache.fill(match_id, ":50", b"[]", lease or b"")

    for match_id in (MATCH, OTHER_MATCH):
        asyncio.run(page(match_id))
    _, late = asyncio.run(consume_goal.cache.lease(MATCH, ":50"))
    consume_goal.take(identified())
    asyncio.run(consume_goal.cache.fill(MATCH, ":50", b"[]", late or b""))
    assert set(consume_goal.cache.pages) == {(OTHER_MATCH, ":50")}


def test_cached_pages_are_dropped_when_a_write_fails(consume_goal: ConsumeGoal) -> None:
    """The write may have been made."""
    consume_goal.store.away = True
    assert consume_goal.post(envelope([identified()])).status_code == 503
    assert consume_goal.cache.changed == [{MATCH}]


def test_the_trace_of_the_post_is_continued(consume_goal: ConsumeGoal) -> None:
    """From the record to the row, and to the announcement."""
    consume_goal.post([envelope([identified()])[0] | {"traceparent": TRACE}])
    assert consume_goal.store.rows[GOAL]["traceparent"] == TRACE
    assert consume_goal.broker.announced[0].headers == {"traceparent": TRACE}


def test_a_structured_event_is_accepted(consume_goal: ConsumeGoal) -> None:
    """One CloudEvent, as JSON."""
    response = consume_goal.post(envelope([identified()])[0], STRUCTURED)
    assert response.json() == {"batchItemFailures": []}
    assert consume_goal.status() == Status.PENDING_AI


def test_a_binary_event_is_accepted(consume_goal: ConsumeGoal) -> None:
    """One CloudEvent, with its attributes as headers."""
    headers = {"ce-id": "1", "ce-source": "/", "ce-type": "t", "ce-specversion": "1.0"}
    response = consume_goal.post(identified().to_json(), "application/json", **headers)
    assert response.json() == {"batchItemFailures": []}
    assert consume_goal.status() == Status.PENDING_AI


@pytest.mark.parametrize("content_type", [STRUCTURED, "application/json"])
def test_a_single_event_is_rejected_by_the_status(
    content_type: str, consume_goal: ConsumeGoal
) -> None:
    """A sender that does not read batch responses must not take it for a success."""
    binary = {"ce-id": "1"} if content_type != STRUCTURED else {}
    body = cloud_event({"matchId": 1}, 0) if content_type == STRUCTURED else {"matchId": 1}
    response = consume_goal.post(body, content_type, **binary)
    assert response.status_code == 422
    assert "matchId" in response.json()["detail"]


def test_data_in_base64_is_accepted(consume_goal: ConsumeGoal) -> None:
    """As a trigger sends values that are not JSON by name."""
    record = envelope([identified()])[0]
    del record["data"]
    record["data_base64"] = base64.b64encode(identified().to_json()).decode()
    assert consume_goal.failures([record]) == []
    assert consume_goal.status() == Status.PENDING_AI


def test_an_empty_batch_is_accepted(consume_goal: ConsumeGoal) -> None:
    """It has no records."""
    assert consume_goal.failures([]) == []
    assert consume_goal.store.statements == 0


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", BATCH, 400),
        (b"{}", BATCH, 400),
        (b"[]", STRUCTURED, 400),
        (b"[]", "application/json", 415),
        (b"", "", 415),
        (b" " * (BODY_LIMIT + 1), BATCH, 413),
    ],
)
def test_a_request_that_is_no_envelope_is_refused(
    body: bytes, content_type: str, status: int, consume_goal: ConsumeGoal
) -> None:
    """In problem details."""
    response = consume_goal.post(body, content_type)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_the_function_accepts_posts_at_its_root(consume_goal: ConsumeGoal) -> None:
    """And has a health check."""
    assert consume_goal.trigger.get("/health").json() == {"status": "ok"}
    refused = consume_goal.trigger.get("/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST, OPTIONS")
    assert consume_goal.trigger.post("/events").status_code == 404


def test_a_first_event_that_makes_no_highlight_is_never_shown(consume_goal: ConsumeGoal) -> None:
    """It is recorded if it has a revision; then a lower revision, a goal, makes no highlight."""
    consume_goal.take(identified(eventType="yellow_card", revision=2))
    assert consume_goal.status() == Status.IGNORED
    consume_goal.take(identified(eventType="goal", revision=1))
    assert consume_goal.status() == Status.IGNORED
    consume_goal.take(identified(eventType="goal", revision=3))
    assert consume_goal.status() == Status.PENDING_AI
    consume_goal.take(identified(eventType="yellow_card", revision=4))
    assert consume_goal.status() == Status.RETRACTED


@pytest.mark.parametrize("event_type", ["goal", "penalty_goal", "own_goal"])
def test_a_kick_of_a_shoot_out_makes_no_highlight(
    event_type: str, consume_goal: ConsumeGoal
) -> None:
    """Whatever its type is, unless HIGHLIGHT_EVENT_TYPES has kicks."""
    kick = identified(eventType=event_type, period="shootout")
    consume_goal.take(kick)
    assert consume_goal.store.rows == {}
    rules = EventRules(HighlightTypes.of("goal,shootoutGoal"))
    consume = EventConsumer(consume_goal.store, consume_goal.cache, consume_goal.broker, rules)
    asyncio.run(
        consume.consume([ReceivedRecord(kick.model_dump(mode="json", by_alias=True), None, None)])
    )
    assert consume_goal.status() == Status.PENDING_AI


def test_another_event_of_the_same_revision_is_ignored_logged_and_counted(
    consume_goal: ConsumeGoal, caplog: pytest.LogCaptureFixture
) -> None:
    """A redelivery of the same event is not."""
    first, changed = identified(player="Messi"), identified(player="Mbappé")
    consume_goal.take(first)
    before = conflicts(consume_goal)
    consume_goal.take(first)
    assert conflicts(consume_goal) == before
    consume_goal.take(changed, identified(player="Messi"))
    assert consume_goal.store.rows[GOAL]["player"] == "Messi"
    assert conflicts(consume_goal) == before + 1
    assert [record.getMessage() for record in caplog.records] == ["conflicting event ignored"]


def test_a_conflict_within_a_batch_is_counted_too(consume_goal: ConsumeGoal) -> None:
    """The first of the two events stays."""
    before = conflicts(consume_goal)
    consume_goal.take(identified(player="Messi"), identified(player="Mbappé"))
    assert consume_goal.store.rows[GOAL]["player"] == "Messi"
    assert conflicts(consume_goal) == before + 1


def conflicts(consume_goal: ConsumeGoal) -> int:
    """Return the number of conflicting events that this process has counted."""
    page = consume_goal.trigger.get("/metrics").text
    (count,) = re.findall(r"^consume_goal_conflicting_events_total (\d+)$", page, re.MULTILINE)
    return int(count)


def test_an_event_in_the_far_future_is_rejected(consume_goal: ConsumeGoal) -> None:
    """It would be the first of every list until somebody retracts it."""
    rules = EventRules(RULES.highlight_types)
    consume = EventConsumer(consume_goal.store, consume_goal.cache, consume_goal.broker, rules)
    event = identified(occurredAt="2099-01-01T00:00:00Z").model_dump(mode="json", by_alias=True)
    (failure,) = asyncio.run(consume.consume([ReceivedRecord(event, None, None)]))
    assert failure.reason.startswith("occurredAt: lies more than 1 day, 0:00:00 ahead of our clock")
    assert consume_goal.store.rows == {}


def test_a_failed_highlight_is_enriched_again_under_a_higher_revision(
    consume_goal: ConsumeGoal,
) -> None:
    """Although the facts are the same."""
    consume_goal.take(identified())
    consume_goal.store.rows[GOAL]["status"] = Status.FAILED_AI
    consume_goal.take(identified())
    assert consume_goal.status() == Status.FAILED_AI
    consume_goal.take(identified(revision=1))
    assert consume_goal.status() == Status.PENDING_AI
