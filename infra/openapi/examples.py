"""Examples from the final of 2022, as a replay posts it; each can be posted unchanged."""

import asyncio
from dataclasses import asdict
from typing import Final

from functions.enrich_batch.enricher import EnrichmentTask, normalize
from functions.enrich_batch.template.template_enricher import TemplateEnricher
from functions.ingest_event.ingest import receipt_of
from functions.shared.contract.change_cursor import ChangeCursor
from functions.shared.contract.event import Event
from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.event_types import GOAL_TYPES, HighlightTypes
from functions.shared.contract.highlight import Facts
from functions.shared.postgres.highlight_sql import FACTS, SHOWN_FIELDS
from infra.openapi.schemas import Json

MATCH_ID = "a83b25bd-476b-5d15-b1e7-386809696256"
PENALTY: Final[Json] = {
    "matchId": MATCH_ID,
    "occurredAt": "2022-12-18T18:23:00Z",
    "eventType": "penalty_goal",
    "team": "home",
    "player": "Lionel Messi",
    "eventId": f"{MATCH_ID}:home:23.0:1",
    "revision": 0,
    "retracted": False,
    "minute": 23,
    "homeTeam": "Argentina",
    "awayTeam": "France",
    "homeScore": 1,
    "awayScore": 0,
}
GOAL: Final[Json] = {
    **PENALTY,
    "occurredAt": "2022-12-18T18:36:00Z",
    "eventType": "goal",
    "player": "Ángel Di María",
    "eventId": f"{MATCH_ID}:home:36.0:1",
    "minute": 36,
    "homeScore": 2,
}
EVENTS: Final[Json] = {
    "goal": {"summary": "A goal", "value": GOAL},
    "correction": {
        "summary": "The same goal, corrected: who prepared it",
        "value": {**GOAL, "revision": 1, "assist": "Alexis Mac Allister"},
    },
    "retraction": {
        "summary": "The same goal, if it did not stand",
        "value": {**GOAL, "revision": 2, "retracted": True, "reason": "Offside"},
    },
}
BATCH: Final = [PENALTY, GOAL]

RULES = EventRules(HighlightTypes(frozenset(GOAL_TYPES)))
_EVENTS = [Event.model_validate(event) for event in BATCH]

RECEIPTS = [receipt_of(event, RULES) for event in _EVENTS]
ACCEPTED: Final[Json] = {"message": "The event is accepted.", **RECEIPTS[1]}
BATCH_ACCEPTED: Final[Json] = {"message": "2 events are accepted.", "events": RECEIPTS}


def _highlight(event: Event) -> Json:
    facts = Facts(**event.model_dump(include=set(FACTS)))
    draft = asyncio.run(TemplateEnricher().enrich(EnrichmentTask(normalize(facts))))
    text = draft.texts["en"]
    return {
        "id": ACCEPTED["highlightId"],
        **event.model_dump(mode="json", by_alias=True, include=set(SHOWN_FIELDS)),
        "status": "READY",
        "title": text.title,
        "summary": text.summary,
        "thumbnailUrl": None,
        "texts": {"en": asdict(text)},
        "enrichedBy": draft.written_by,
        "refused": None,
        "createdAt": "2022-12-18T18:36:01.015Z",
        "updatedAt": "2022-12-18T18:36:01.065Z",
    }


HIGHLIGHT: Final = _highlight(_EVENTS[1])
MATCH: Final[Json] = {
    **{name: GOAL[name] for name in ("matchId", "homeTeam", "awayTeam", "homeScore", "awayScore")},
    "highlights": 2,
    "occurredAt": GOAL["occurredAt"],
    "updatedAt": HIGHLIGHT["updatedAt"],
}
PLACE: Final = ChangeCursor(8164, epoch="6fa1c03e")
