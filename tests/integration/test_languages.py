"""Title and summary in a language, chosen by Postgres, and in the stream's JSON."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import orjson
import pytest

from functions.consume_goal.revisions import revision_of
from functions.shared.contract.change_cursor import BEGINNING
from functions.shared.inbound.received_record import ReceivedRecord
from functions.shared.postgres.change_feed import ChangeFeed
from functions.shared.postgres.change_sql import changes_statement
from functions.shared.postgres.highlight_sql import GET, list_statement
from functions.shared.postgres.highlights import HighlightStore
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.postgres.translation import translate
from functions.shared.settings.load import load
from infra.openapi.response_models import Highlight
from tests.support.builders.events import MATCH, id_of, identified
from tests.support.builders.revisions import RULES
from tests.support.drivers.table import Table

GERMAN = {"title": 'Tor: "1:0"\\', "summary": "Der Ball\u2028ist drin."}
TEXTS = {"en": {"title": "GOAL", "summary": "It is in."}, "de": GERMAN}
LOOKALIKE = '{"title":"x","summary":"y","thumbnailUrl":"z","texts":{"de":1},"n":1.50e2}'
WRITE = """
    UPDATE highlights SET title = 'GOAL', summary = 'It is in.', texts = cast(:texts AS json),
        metadata = cast(:metadata AS json), enriched_by = 'model:x', refused = '["names"]',
        status = 'READY', updated_at = clock_timestamp()
    WHERE id = cast(:id AS uuid)
"""


def run(table: Table, work: Callable[[Postgres], Awaitable[None]]) -> None:
    """Run a test's work with a pool."""

    async def with_pool() -> None:
        postgres = Postgres(load(PostgresSettings, {"DATABASE_URL": table.url}))
        try:
            await work(postgres)
        finally:
            postgres.close()

    asyncio.run(with_pool())


async def put(postgres: Postgres, event_id: str, texts: dict[str, Any] | None) -> UUID:
    """Record a goal with these texts; return its id."""
    revision = revision_of(identified(eventId=event_id), ReceivedRecord(None, None, None), RULES)
    await HighlightStore(postgres).record([revision])
    written = None if texts is None else orjson.dumps(texts).decode()
    await postgres.run(WRITE, id=revision.id, texts=written, metadata=LOOKALIKE)
    return id_of(MATCH, event_id)


async def read(postgres: Postgres, id_: UUID, language: str | None) -> str:
    """Return a highlight's JSON, which is the same by itself, in the list and in the feed."""
    store = HighlightStore(postgres)
    one = await store.get(id_, language)
    assert one is not None
    listed = await store.list({"match_id": MATCH}, limit=10, language=language)
    told = await ChangeFeed(postgres).read(BEGINNING, {}, 10, language)
    documents = [each.json for each in listed.documents]
    assert sorted(documents) == sorted(change.json for change in told.changes)
    assert one.json in documents
    return one.json


@pytest.mark.parametrize(
    ("texts", "language", "shown"),
    [
        (TEXTS, None, TEXTS["en"]),
        (TEXTS, "de", GERMAN),
        (TEXTS, "ja", TEXTS["en"]),
        ({}, "de", TEXTS["en"]),
        (None, "de", TEXTS["en"]),
    ],
)
def test_a_language_is_chosen_where_there_is_a_text_in_it(
    own_table: Table, texts: dict[str, Any] | None, language: str | None, shown: dict[str, str]
) -> None:
    """By itself, in a list, in the feed, and in the JSON of a stream; all else is the same."""

    async def work(postgres: Postgres) -> None:
        id_ = await put(postgres, "1", texts)
        await put(postgres, "2", {"de": {"title": "another", "summary": "another"}})
        plain, chosen = await read(postgres, id_, None), await read(postgres, id_, language)
        assert orjson.loads(chosen) == orjson.loads(plain) | shown
        Highlight.model_validate_json(chosen)
        for json in (chosen, translate(plain, language) if language else plain):
            assert orjson.loads(json) == orjson.loads(chosen)
            assert f'"metadata":{LOOKALIKE},' in json

    run(own_table, work)


@pytest.mark.parametrize("statement", [GET, list_statement([]), changes_statement([])])
def test_who_asks_for_no_language_has_no_text_looked_into(own_table: Table, statement: str) -> None:
    """The plan of a statement without a language is that of one that knows of none."""
    values: dict[str, Any] = {"id": MATCH, "xid": "0", "limit": 1, "offset": 0}
    for language, is_read in ((None, False), ("de", True)):
        plan = own_table.run(f"EXPLAIN (VERBOSE) {statement}", **values, lang=language)
        assert ("texts ->" in f"{plan}") is is_read
