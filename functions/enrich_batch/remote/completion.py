"""The answer of a chat-completions endpoint: the model's words, and the texts within them."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from pydantic import BaseModel, Field, ValidationError

from functions.enrich_batch.enricher import EnrichmentRefused
from functions.enrich_batch.remote.texts import texts_by_language
from functions.shared.contract.highlight import HighlightText

MAX_TOKENS: Final = 10_000_000  # no answer of bounded size has more
MAX_BROKEN: Final = 64  # braces that begin no JSON; each may cost a look at all that follows
THOUGHT_ENDS: Final = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
THOUGHT_BEGINS: Final = re.compile(r"<(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
DECODER: Final = json.JSONDecoder()


class _Part(BaseModel):
    type: str = "text"
    text: str = ""


class _Message(BaseModel):
    content: str | list[_Part] | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)


def tokens_used(body: bytes) -> int:
    """Return the tokens that `usage` counts; 0 where it does not."""
    try:
        tokens = orjson.loads(body)["usage"]["total_tokens"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        return 0
    return tokens if type(tokens) is int and 0 <= tokens <= MAX_TOKENS else 0


def texts_in(body: bytes, languages: tuple[str, ...]) -> dict[str, HighlightText]:
    """Return the texts in a completion, one for each language.

    Raises:
        EnrichmentRefused: there are none; the reason is ours, and quotes nothing of the answer.
    """
    try:
        choice = _Completion.model_validate_json(body).choices[0]
    except ValidationError:
        raise EnrichmentRefused("the answer is no chat completion") from None
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise EnrichmentRefused("the model refuses")
    if choice.finish_reason == "length":
        raise EnrichmentRefused("the answer was cut off at the limit of tokens")
    content = _without_thoughts(_words(choice.message.content))
    if not content:
        raise EnrichmentRefused("the answer is empty")
    texts: dict[str, HighlightText] = {}
    for answered in _objects(content):  # the last one: a model that corrects itself does so later
        texts = _texts(answered, languages) or texts
    if not texts:
        raise EnrichmentRefused("the answer has no JSON with a title and a summary by language")
    return texts


def _words(content: str | list[_Part] | None) -> str:
    if isinstance(content, list):
        return "".join(part.text for part in content if part.type in ("text", "output_text"))
    return content or ""


def _without_thoughts(content: str) -> str:
    """Return what follows the last thought; a thought without an end has nothing after it."""
    said = THOUGHT_ENDS.split(content)[-1]
    return THOUGHT_BEGINS.split(said)[0].strip()


def _objects(content: str) -> Iterator[Mapping[str, Any]]:
    """Yield the JSON objects in a text, whatever stands around them."""
    at, broken = content.find("{"), 0
    while at >= 0 and broken < MAX_BROKEN:
        try:
            answered, end = DECODER.raw_decode(content, at)
        except (ValueError, RecursionError):
            end, broken = at + 1, broken + 1
        else:
            yield answered
        at = content.find("{", end)


def _texts(answered: Mapping[str, Any], languages: tuple[str, ...]) -> dict[str, HighlightText]:
    """Return the texts in an object, or none if a language has none."""
    try:
        texts = texts_by_language(answered, languages)
    except ValidationError:
        return {}
    return texts if len(texts) == len(languages) else {}
