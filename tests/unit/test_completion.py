"""The texts that are found in a model's answer, in whatever shape it comes."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.enrich_batch.enricher import EnrichmentRefused
from functions.enrich_batch.remote.completion import texts_in, tokens_used
from functions.enrich_batch.remote.texts import MAX_SUMMARY, MAX_TITLE
from functions.shared.contract.highlight import HighlightText

TEXT = {"title": "Messi scores", "summary": "Messi scores for Argentina."}
JSON = json.dumps({"en": TEXT})
OTHER = json.dumps({"en": {"title": "Draft", "summary": "A draft."}})
WRITTEN = HighlightText(TEXT["title"], TEXT["summary"])


def completion(content: object, finish_reason: object = "stop", **message: object) -> bytes:
    """Return the body of an answer."""
    choice = {"message": {"content": content, **message}, "finish_reason": finish_reason}
    return json.dumps({"choices": [choice]}).encode()


def texts(content: object, *languages: str) -> dict[str, HighlightText]:
    """Return the texts that are found in what a model says."""
    return texts_in(completion(content), languages or ("en",))


def refusal(body: bytes, *languages: str) -> str:
    """Return why there is no text in an answer."""
    with pytest.raises(EnrichmentRefused) as refused:
        texts_in(body, languages or ("en",))
    return refused.value.reason


@pytest.mark.parametrize(
    "content",
    [
        JSON,
        f"  \n{JSON}\n",
        f"```json\n{JSON}\n```",
        f"```\n{JSON}```",
        f"Sure! Here is {{your}} text, as JSON:\n\n{JSON}",
        f"{JSON}\n\nI hope that this {{helps}}!",
        f"[{JSON}]",
        f"<think>\n{OTHER}\n</think>\n\n{JSON}",
        f"<THINKING>{OTHER}</THINKING>{JSON}",
        f"{OTHER}\nhm, no\n</think>{JSON}",
        f"{OTHER}\nWait, that is wrong. {JSON}",
        f"{JSON} The form was {{'en': ...}} and " + '{"en": {"title": "...", "summary": "..."}}',
        json.dumps({"EN": {**TEXT, "x": 1}, "y": 2}),
        JSON.replace("Messi scores", " Messi\\u200b  scores\\n\\u0000"),
        [{"type": "text", "text": JSON[:20]}, {"type": "text", "text": JSON[20:]}],
        [{"type": "thinking", "thinking": [{"type": "text", "text": OTHER}]}, {"text": JSON}],
        [{"type": "reasoning", "text": OTHER}, {"type": "output_text", "text": JSON}],
    ],
)
def test_a_text_is_found(content: object) -> None:
    """In fences, in prose, after thoughts; the last one counts, on one line."""
    assert texts(content) == {"en": WRITTEN}


@pytest.mark.parametrize(
    "content",
    [
        "",
        " \n",
        None,
        [],
        "Messi scores.",
        "{}",
        "[]",
        "null",
        JSON[:-1],
        JSON[:-2],
        f"<think>{JSON}",
        f"<think>{OTHER}</think><think>{JSON}",
        f"<think>{JSON}</think>",
        JSON.replace("en", "de"),
        json.dumps(TEXT),
        '{"en": "Messi scores"}',
        '{"en": {"title": "Messi scores"}}',
        '{"en": {"title": null, "summary": "x"}}',
        '{"en": {"title": ["Messi"], "summary": "x"}}',
        '{"en": {"title": 1, "summary": "x"}}',
        '{"en": {"title": "", "summary": "x"}}',
        '{"en": {"title": " \\u200b", "summary": "x"}}',
        '{"en": {"title": "...", "summary": "..."}}',
        '{"en": {"title": "\\ud800", "summary": "x"}}',
        json.dumps({"en": {"title": "x" * (MAX_TITLE + 1), "summary": "x"}}),
        json.dumps({"en": {"title": "x", "summary": "x" * (MAX_SUMMARY + 1)}}),
        '{"en": NaN}',
    ],
)
def test_an_answer_without_a_text_is_refused(content: object) -> None:
    """No half of a text, no thought, and nothing of another form is taken for one."""
    refusal(completion(content))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no chat completion"),
        (b"{", "no chat completion"),
        (b"\xff", "no chat completion"),
        (b"null", "no chat completion"),
        (b'{"choices": []}', "no chat completion"),
        (b'{"choices": null}', "no chat completion"),
        (b'{"choices": [{}]}', "no chat completion"),
        (b'{"choices": [{"message": {"content": 7}}]}', "no chat completion"),
        (b'{"error": {"message": "secret", "code": 429}}', "no chat completion"),
        (b"[" * 60_000, "no chat completion"),
        (b'{"choices": ' + b'{"a":' * 10_000, "no chat completion"),
        (completion(JSON, refusal="I will not."), "the model refuses"),
        (completion(None, refusal="I will not."), "the model refuses"),
        (completion(JSON, "content_filter"), "the model refuses"),
        (completion(JSON, "length"), "cut off"),
        (completion(JSON[:10], "length"), "cut off"),
        (completion(None), "is empty"),
        (completion("<think>hm"), "is empty"),
        (completion("Messi!"), "no JSON"),
    ],
)
def test_a_refusal_has_its_reason(body: bytes, reason: str) -> None:
    """In our words: nothing of the answer is in it."""
    said = refusal(body)
    assert reason in said
    assert "secret" not in said


def test_every_language_needs_a_text() -> None:
    """In whatever order and case; one that was not asked for is left out."""
    both = json.dumps({"de": TEXT, "PT-br": TEXT, "fr": TEXT})
    assert texts(both, "pt-BR", "de") == {"pt-BR": WRITTEN, "de": WRITTEN}
    refusal(completion(JSON), "en", "de")


def test_marks_of_direction_leave_no_gap() -> None:
    """We set our own where a text is shown."""
    marked = {"en": {"title": "\u20662-0\u2069, \u202eMessi", "summary": "(\u20682-0\u2069)."}}
    assert texts(json.dumps(marked)) == {"en": HighlightText("2-0, Messi", "(2-0).")}


@pytest.mark.parametrize(
    "content",
    [
        "{" * 60_000,
        '{"a":' * 12_000,
        '{"' * 30_000,
        '{"a": "' + "x" * 60_000,
        "{} " * 20_000,
        '{"a": ' + "9" * 60_000 + "}",
        "<think>" * 8_000,
    ],
    ids=lambda content: content[:8],
)
def test_no_content_takes_long(content: str) -> None:
    """Others wait while it is looked through."""
    began = time.process_time()
    refusal(completion(content))
    assert time.process_time() - began < 0.5


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_words_around_the_json_do_no_harm(before: str, after: str) -> None:
    """There is the text, or a refusal; never another error, and never another text."""
    try:
        found = texts(f"{before}{JSON}{after}")
    except EnrichmentRefused:
        return
    assert found == {"en": WRITTEN}


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["choices", "message", "content", "finish_reason", "refusal", "en"]),
        inner, max_size=3),
))  # fmt: skip
def test_any_json_is_refused(body: Any) -> None:
    """With the one error that a worker expects."""
    encoded = json.dumps(body).encode()
    refusal(encoded)
    tokens_used(encoded)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ('{"total_tokens": 123}', 123),
        ('{"total_tokens": 0}', 0),
        ('{"total_tokens": -1}', 0),
        ('{"total_tokens": true}', 0),
        ('{"total_tokens": 1.5}', 0),
        ('{"total_tokens": 1e99}', 0),
        ('{"total_tokens": 99999999999999999999}', 0),
        ('{"total_tokens": "many"}', 0),
        ("{}", 0),
        ("null", 0),
        ("[]", 0),
    ],
)
def test_tokens_are_those_of_the_usage(usage: str, tokens: int) -> None:
    """0 where they cannot be so many."""
    assert tokens_used(f'{{"usage": {usage}}}'.encode()) == tokens


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'"x"', b"\xff", b"[" * 9999])
def test_an_answer_without_usage_has_no_tokens(body: bytes) -> None:
    """Whatever it is."""
    assert tokens_used(body) == 0
