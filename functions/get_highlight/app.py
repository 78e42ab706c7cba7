"""The HTTP route of get-highlight."""

import re
from collections.abc import Callable
from typing import Protocol
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from functions.shared.errors import NotFound
from functions.shared.http.languages import ENGLISH, Language, Languages
from functions.shared.http.query_parameters import QueryParameters, query_string
from functions.shared.http.readiness import Readiness
from functions.shared.http.responses import conditional_json_response
from functions.shared.http.routing import Guard, Router
from functions.shared.postgres.highlights import Document

PREFIX = "/highlights/"
LANG = "lang"
CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class HighlightReader(Protocol):
    """The part of the store that get-highlight uses."""

    async def get(self, highlight_id: UUID, language: str | None) -> Document | None:
        """Return a highlight of any status, in this language if it can be, or None."""


def build_app(
    store: Callable[[], HighlightReader],
    guard: Guard | None = None,
    readiness: Readiness | None = None,
    languages: Languages = ENGLISH,
) -> Router:
    """Return the route GET /highlights/{id}."""

    async def get(request: Request) -> Response:
        text = request.scope["path"].removeprefix(PREFIX)
        highlight_id = parse_id(text)
        asked = parse_language(query_string(request), languages)
        language, headers = languages.choose(request, asked)
        document = await store().get(highlight_id, language.translation)
        if document is None:
            raise not_found(text)
        return conditional_json_response(request, document.json.encode(), headers=headers)

    return Router({f"{PREFIX}*": {"GET": get}}, store, guard, readiness)


def parse_id(text: str) -> UUID:
    """Return the id in a path.

    Raises:
        NotFound: it is not a UUID in its canonical form.
    """
    if not CANONICAL_UUID.fullmatch(text):
        raise not_found(text)
    return UUID(text)


def parse_language(query: str, languages: Languages = ENGLISH) -> Language | None:
    """Return the language that the query of a URL asks for, None if it asks for none.

    Other parameters are ignored.

    Raises:
        InvalidInput: `lang` names no language, or none of these.
    """
    if not query:
        return None
    pairs = parse_qsl(query, keep_blank_values=True)
    own = [(name, value) for name, value in pairs if name == LANG]
    parameters = QueryParameters(urlencode(own), (LANG,))
    language = parameters.language(languages)
    parameters.raise_for_errors()
    return language


def not_found(text: str) -> NotFound:
    """Return the error for an id that no highlight has."""
    return NotFound(f"There is no highlight {text[:64]!r}.")
