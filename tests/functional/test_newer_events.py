"""Events of a newer release, with fields that this one does not know."""

from typing import get_args

import orjson
import pytest

from functions.shared.contract.highlight import Status
from local.kafka_trigger.envelopes.encoder import Envelope
from tests.support.builders.costs import ingest, posted
from tests.support.builders.deliveries import Functions, goal_record, post, request_of
from tests.support.builders.events import MATCH, complete_event, event_json, id_of

UNKNOWN = {"madeUp": "Lusail", "weather": {"wind": [1, None]}, "event_id": "another", "plyer": "x"}


@pytest.mark.parametrize("kind", get_args(Envelope))
def test_an_event_of_a_newer_release_is_consumed_without_its_unknown_fields(kind: Envelope) -> None:
    """In every envelope."""
    known = complete_event() | {"eventId": "goal-1", "retracted": False}
    functions = Functions()
    record = goal_record(value=orjson.dumps(UNKNOWN | known))
    response = post(functions.consume_goal, request_of(kind, record))
    assert (response.status_code, response.json()) == (200, {"batchItemFailures": []})
    row = functions.store.rows[id_of(MATCH, "goal-1")]
    assert row["status"] == Status.PENDING_AI
    assert {name: row[name] for name in known if name != "occurredAt"}.items() <= known.items()
    assert not UNKNOWN.keys() & row.keys()


@pytest.mark.parametrize("name", UNKNOWN)
def test_ingest_event_refuses_unknown_fields(name: str) -> None:
    """By name: they are most likely mistyped."""
    body = orjson.dumps(event_json(**{name: UNKNOWN[name]}))
    response = posted(ingest(), "/events", body)
    assert (response.status_code, list(response.json()["errors"])) == (400, [name])
