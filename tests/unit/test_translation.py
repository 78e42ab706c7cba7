"""A highlight's JSON in another language, made of the JSON that Postgres wrote."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.shared.postgres.highlight_sql import GENERATED
from functions.shared.postgres.translation import translate
from tests.support.builders.events import NAMES, texts

TITLE = '"n":1,"title":"a","summary":"b","thumbnailUrl":"c","texts":{"de":1},"enrichedBy":"d"'
TEXTS = {"de": {"title": "Tor", "summary": "Ein Tor."}, "ja": {"title": "先制", "summary": "点"}}


def document(*, metadata: str = "null", text: str | None = "GOAL", written: str = "null") -> str:
    """Return a highlight's JSON, the parts of which are JSON, in the order of Postgres'."""
    shown = orjson.dumps(text).decode()
    return (
        f'{{"id":"1","player":{shown},"metadata":{metadata},"status":"READY","title":{shown},'
        f'"summary":{shown},"thumbnailUrl":{shown},"texts":{written},"enrichedBy":{shown},'
        f'"refused":["title"],"createdAt":"2026-01-01T00:00:00Z"}}'
    )


def test_the_members_that_it_looks_for_are_in_this_order() -> None:
    """In every document that Postgres makes."""
    assert GENERATED[1:6] == ("title", "summary", "thumbnail_url", "texts", "enriched_by")


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize(
    "metadata",
    ["null", "{}", f"{{{TITLE}}}", f'{{"x":{{{TITLE}}}}}', '{"x":[1e2,  18446744073709551615]}'],
)
@pytest.mark.parametrize("text", [None, "GOAL", f",{TITLE}", '\\","title":"', *NAMES[-2:]])
def test_title_and_summary_are_replaced(language: str, metadata: str, text: str | None) -> None:
    """All else stays as it was written, however much it looks like them."""
    # A title that is null has no texts in the table; here it has them.
    before = document(metadata=metadata, text=text, written=orjson.dumps(TEXTS).decode())
    after = translate(before, language)
    assert orjson.loads(after) == orjson.loads(before) | TEXTS[language]
    assert f'"metadata":{metadata},"status"' in after


@pytest.mark.parametrize("written", ["null", "{}", '{"ja":{"title":"先制","summary":"点"}}'])
def test_without_a_text_in_the_language_nothing_is_replaced(written: str) -> None:
    """It is shown as it is."""
    assert translate(document(written=written), "de") == document(written=written)


@given(st.tuples(texts(40), texts(40), texts(40)), st.dictionaries(texts(20), texts(40)))
def test_any_text_is_given_as_it_is(words: tuple[str, str, str], metadata: dict[str, str]) -> None:
    """With quotation marks, line ends and characters of any kind."""
    title, summary, first = words
    written = orjson.dumps({"de": {"title": title, "summary": summary}}).decode()
    before = document(metadata=orjson.dumps(metadata).decode(), text=first, written=written)
    expected = orjson.loads(before) | {"title": title, "summary": summary}
    assert orjson.loads(translate(before, "de")) == expected
