"""Events for tests: the smallest of the contract, and hypothesis strategies for all others."""

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st

from functions.shared.contract.event import Event, IdentifiedEvent

MATCH = UUID("00000000-0000-0000-0000-000000000001")
OTHER_MATCH = UUID("00000000-0000-0000-0000-000000000002")

# The goal that README posts first.
FIRST_GOAL = {
    "matchId": str(MATCH),
    "occurredAt": "2025-12-08T20:16:00Z",
    "eventType": "goal",
    "team": "home",
    "player": "John Doe",
    "description": "Curled it into the top corner from outside the box.",
}

# A name in each of many scripts, some of them outside of the basic plane or put together of several
# characters.
NAMES = (
    "Ángel Di María", "Kylian Mbappé", "Łukasz Piszczek", "Sócrates", "İlkay Gündoğan",
    "Юрій Калитвинцев", "Γιώργος Καραγκούνης", "محمد صلاح", "מיכאל זנדברג", "三笘薫", "孫興慜",
    "손흥민", "सुनील छेत्री", "ชนาธิป สรงกระสินธ์", "გიორგი მამარდაშვილი", "Հենրիխ Մխիթարյան",
    "𐤌𐤔𐤄", "👩🏽‍🦰⚽", "O'Neil \"the wall\" <b>&amp;</b>",
)  # fmt: skip


def event_json(**fields: Any) -> dict[str, Any]:
    """Return the smallest valid event as JSON, with these fields added or replaced."""
    return {
        "matchId": str(MATCH),
        "occurredAt": "2025-12-08T20:16:00Z",
        "eventType": "goal",
        **fields,
    }


def identified(**fields: Any) -> IdentifiedEvent:
    """Return an event as it is on the topic, with its highlight's id."""
    return IdentifiedEvent.model_validate(event_json(eventId="goal-1") | fields)


def id_of(match_id: UUID, event_id: str) -> UUID:
    """Compute the id of an event's highlight with the standard library alone."""
    return uuid5(match_id, event_id)


def texts(limit: int, least: int = 0) -> st.SearchStrategy[str]:
    """Return a strategy for texts that a feed may send: any characters except NUL."""
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    return st.text(characters, min_size=least, max_size=limit)


def moments() -> st.SearchStrategy[str]:
    """Return a strategy for RFC 3339 date-times in any UTC offset, from year 1 to 9999 in UTC."""
    offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
        lambda minutes: timezone(timedelta(minutes=minutes))
    )
    earliest, latest = datetime(1, 1, 2), datetime(9999, 12, 30)
    return st.datetimes(earliest, latest, timezones=offsets).map(datetime.isoformat)


def complete_event() -> dict[str, Any]:
    """Return an event as JSON with a different value in each field of the model."""
    properties = Event.model_json_schema()["properties"]
    return {
        name: _example(name, number, schema)
        for number, (name, schema) in enumerate(properties.items())
    } | event_json()


def _example(name: str, number: int, schema: dict[str, Any]) -> Any:
    match schema.get("anyOf", [schema])[0]:
        case {"enum": choices}:
            return choices[0]
        case {"type": "boolean"}:
            return True
        case {"type": "integer", "maximum": most}:
            return most - number
        case {"type": "string"}:
            return name
    return {name: number}


def events_json() -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for valid events as JSON, built from the model's schema."""
    schemas = Event.model_json_schema()
    fields = {name: values(schema) for name, schema in schemas["properties"].items()} | {
        "matchId": st.uuids().filter(lambda match_id: match_id.int > 0).map(str),
        "occurredAt": moments(),
        "eventType": texts(64, least=1).filter(lambda text: bool(text.strip())),
    }
    fields["player"] |= st.sampled_from(NAMES)
    required = {name: fields.pop(name) for name in schemas["required"]}
    return st.fixed_dictionaries(required, optional=fields)


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of this JSON schema."""
    match schema:
        case {"anyOf": choices}:
            return st.one_of(*map(values, choices))
        case {"enum": choices}:
            return st.sampled_from(choices)
        case {"type": "null"}:
            return st.none()
        case {"type": "boolean"}:
            return st.booleans()
        case {"type": "integer", "minimum": least, "maximum": most}:
            return st.integers(least, most)
        case {"type": "string", "maxLength": limit}:
            return texts(limit)
        case {"type": "string"}:  # an id or a time, which its caller says
            return texts(64)
        case {"type": "object"}:
            return st.dictionaries(texts(8), texts(8) | st.integers(0, 99), max_size=3)
    raise AssertionError(f"a field is of a kind that no event had: {schema}")
