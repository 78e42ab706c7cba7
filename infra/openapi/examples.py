"""Examples from the final of 2022, as a replay posts it: each can be posted as it stands."""

import asyncio
import json
from typing import Any, Final

from functions.enrich_batch.template import TemplateEnricher
from functions.ingest_event.ingest import receipt_of
from functions.shared.contract.event import Event
from functions.shared.contract.event_rules import EventRules
from functions.shared.contract.event_types import GOAL_TYPES, HighlightTypes
from functions.shared.contract.highlight import Facts
from functions.shared.postgres.highlight_sql import FACTS, SHOWN
from local.replay.arguments import SAMPLE
from local.replay.feed import events
from local.replay.openfootball import read
from local.replay.selection import select

Json = dict[str, Any]

_RULES = EventRules(HighlightTypes(frozenset(GOAL_TYPES)))
_PENALTY, _GOAL, *_ = events(*select(read(SAMPLE), ["argentina france"]))

GOAL: Final[Json] = json.loads(_GOAL.to_json())
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
BATCH: Final = [json.loads(_PENALTY.to_json()), GOAL]
ACCEPTED: Final[Json] = {"message": "The event is accepted.", **receipt_of(_GOAL, _RULES)}
BATCH_ACCEPTED: Final[Json] = {
    "message": "2 events are accepted.",
    "events": [receipt_of(event, _RULES) for event in (_PENALTY, _GOAL)],
}


def _highlight(event: Event) -> Json:
    facts = Facts(**event.model_dump(include=set(FACTS)))
    text = asyncio.run(TemplateEnricher().enrich(facts))
    return {
        "id": ACCEPTED["highlightId"],
        **event.model_dump(mode="json", by_alias=True, include=set(SHOWN)),
        "status": "READY",
        "title": text.title,
        "summary": text.summary,
        "thumbnailUrl": None,
        "createdAt": "2022-12-18T18:36:01.015Z",
        "updatedAt": "2022-12-18T18:36:01.065Z",
    }


HIGHLIGHT: Final = _highlight(_GOAL)
