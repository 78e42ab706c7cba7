"""Events for tests: the smallest of the contract, and all that hypothesis can think of."""

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st

from functions.shared.contracts import IdentifiedEvent

MATCH = UUID("00000000-0000-0000-0000-000000000001")
OTHER_MATCH = UUID("00000000-0000-0000-0000-000000000002")

# A name in each of many scripts, some of them outside of the basic plane or put together of several
# characters.
NAMES = (
    "Ángel Di María", "Kylian Mbappé", "Łukasz Piszczek", "Sócrates", "İlkay Gündoğan",
    "Юрій Калитвинцев", "Γιώργος Καραγκούνης", "محمد صلاح", "מיכאל זנדברג", "三笘薫", "孫興慜",
    "손흥민", "सुनील छेत्री", "ชนาธิป สรงกระสินธ์", "გიორგი მამარდაშვილი", "Հենրիխ Մխիթարյան",
    "𐤌𐤔𐤄", "👩🏽‍🦰⚽", "O'Neil \"the wall\" <b>&amp;</b>",
)  # fmt: skip


def event_json(**fields: Any) -> dict[str, Any]:
    """Return the smallest event as JSON, with these fields put in."""
    return {
        "matchId": str(MATCH),
        "occurredAt": "2025-12-08T20:16:00Z",
        "eventType": "goal",
        **fields,
    }


def identified(**fields: Any) -> IdentifiedEvent:
    """Return an event as the topic carries it."""
    return IdentifiedEvent.model_validate(event_json(eventId="goal-1") | fields)


def id_of(match_id: UUID, event_id: str) -> UUID:
    """Return the id of an event's highlight, by the standard library's own hand."""
    return uuid5(match_id, event_id)


def texts(limit: int, least: int = 0) -> st.SearchStrategy[str]:
    """Return texts that a feed may send: any characters but NUL."""
    characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    return st.text(characters, min_size=least, max_size=limit)


def moments() -> st.SearchStrategy[str]:
    """Return RFC 3339 date-times of every offset whose moment is of the years 1 to 9999 in UTC."""
    offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
        lambda minutes: timezone(timedelta(minutes=minutes))
    )
    earliest, latest = datetime(1, 1, 2), datetime(9999, 12, 30)
    return st.datetimes(earliest, latest, timezones=offsets).map(datetime.isoformat)


def events_json() -> st.SearchStrategy[dict[str, Any]]:
    """Return events as JSON that the contract takes."""

    def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.none() | values

    names, scores = maybe(texts(128)), maybe(st.integers(0, 99))
    return st.fixed_dictionaries(
        {
            "matchId": st.uuids().filter(lambda match_id: match_id.int > 0).map(str),
            "occurredAt": moments(),
            "eventType": texts(64, least=1).filter(lambda text: bool(text.strip())),
        },
        optional={
            "team": names,
            "player": names | st.sampled_from(NAMES),
            "assist": names,
            "description": maybe(texts(1024)),
            "reason": maybe(texts(256)),
            "period": maybe(st.sampled_from(["first_half", "extra_time_second", "shootout"])),
            "metadata": maybe(st.dictionaries(texts(8), texts(8) | st.integers(0, 99), max_size=3)),
            "eventId": maybe(texts(128)),
            "revision": st.integers(0, 2**63 - 1),
            "retracted": st.booleans(),
            "minute": maybe(st.integers(0, 150)),
            "addedTime": maybe(st.integers(0, 60)),
            "homeTeam": names,
            "awayTeam": names,
            "homeScore": scores,
            "awayScore": scores,
            "homeShootoutScore": scores,
            "awayShootoutScore": scores,
        },
    )
