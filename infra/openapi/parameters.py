"""The parameters that several operations on highlights have."""

from functions.list_highlights.query import PAGE_SIZE as DEFAULT_PAGE_SIZE
from functions.list_highlights.query import PAGE_SIZE_LIMIT
from infra.openapi.schemas import Json


def parameter(name: str, description: str, **schema: object) -> Json:
    """Return a parameter without an example, which Swagger's form would send with every request."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


_TEXT: Json = {"type": "string", "pattern": r"^[^\x00]*$"}
LANG = parameter(
    "lang",
    "Title and summary in this language, one of LANGUAGES; goes before `Accept-Language`",
    type="string",
    format="language",
    minLength=1,
)
ACCEPT_LANGUAGE: Json = {
    "name": "Accept-Language",
    "in": "header",
    "description": "The languages of title and summary that the reader prefers (RFC 9110, 12.5.4)",
    "schema": {"type": "string"},
}
IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an earlier answer; 304 if nothing has changed since",
    "schema": {"type": "string"},
}
MATCH_ID = parameter("matchId", "Of this match", type="string", format="uuid")
TEAM = parameter("team", "By this side: home, away or a team's name in any case", **_TEXT)
EVENT_TYPE = parameter("eventType", "Of this type, in any spelling that an event may have", **_TEXT)
PAGE_SIZE = parameter(
    "pageSize",
    f"How many: out of range, 1 or {PAGE_SIZE_LIMIT}",
    type="integer",
    default=DEFAULT_PAGE_SIZE,
)
CURSOR = parameter(
    "cursor",
    "Where an earlier answer's Link left off: for programs",
    type="string",
    format="cursor",
    minLength=1,
)
LANGUAGE_HEADERS = {"Content-Language": "de", "Vary": "Accept-Language"}
