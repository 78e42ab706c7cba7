"""The event, field by field, as the contract's table has it."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.shared.contract.event import Event, IdentifiedEvent, highlight_id, parse_rfc3339
from functions.shared.contract.event_types import fold_event_type
from tests.support.builders.events import MATCH, NAMES, event_json, events_json

TEXTS = {
    "eventType": 64, "eventId": 128, "team": 128, "player": 128, "homeTeam": 128, "awayTeam": 128,
    "assist": 128, "description": 1024, "reason": 256,
}  # fmt: skip
OPTIONAL_TEXTS = [name for name in TEXTS if name != "eventType"]
NUMBERS = {
    "minute": 150, "addedTime": 60, "homeScore": 99, "awayScore": 99, "homeShootoutScore": 99,
    "awayShootoutScore": 99, "revision": 2**63 - 1,
}  # fmt: skip


def taken(**fields: Any) -> dict[str, Any]:
    """Return the event of these fields as a consumer reads it from the topic."""
    record: dict[str, Any] = json.loads(parse(**fields).to_json())
    return record


def parse(**fields: Any) -> Event:
    """Return the event of a posted body with these fields."""
    return Event.model_validate_json(json.dumps(event_json(**fields)))


def refused(**fields: Any) -> set[str]:
    """Return the names of the fields that are refused."""
    with pytest.raises(ValidationError) as refusal:
        parse(**fields)
    return {str(error["loc"][0]) for error in refusal.value.errors()}


def test_the_smallest_event_has_three_fields() -> None:
    """Optional fields are unknown; revision is 0, nothing is retracted, an id is assigned."""
    made = taken()
    assert made.pop("eventId")
    assert made == event_json() | {"revision": 0, "retracted": False}


@pytest.mark.parametrize("name", ["matchId", "occurredAt", "eventType"])
def test_a_required_field_may_not_be_missing(name: str) -> None:
    """The field that is missing is named."""
    body = {field: value for field, value in event_json().items() if field != name}
    with pytest.raises(ValidationError) as refusal:
        Event.model_validate(body)
    assert [error["loc"] for error in refusal.value.errors()] == [(name,)]


@pytest.mark.parametrize("name", ["matchId", "occurredAt", "eventType"])
@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_a_required_field_may_not_be_empty(name: str, nothing: str | None) -> None:
    """Null, empty and blank say nothing."""
    assert refused(**{name: nothing}) == {name}


@pytest.mark.parametrize(("name", "limit"), TEXTS.items())
@pytest.mark.parametrize("character", ["a", "é", "サ", "⚽"])
def test_a_text_is_as_long_as_its_field_allows(name: str, limit: int, character: str) -> None:
    """Characters are counted, not bytes; one more than the limit is refused."""
    assert taken(**{name: character * limit})[name] == character * limit
    assert refused(**{name: character * (limit + 1)}) == {name}


@pytest.mark.parametrize(("name", "limit"), TEXTS.items())
def test_white_space_around_a_text_is_dropped(name: str, limit: int) -> None:
    """It does not count for the limit either."""
    assert taken(**{name: f" \t\n{'a' * limit} "})[name] == "a" * limit


@pytest.mark.parametrize("name", OPTIONAL_TEXTS)
@pytest.mark.parametrize("nothing", [None, "", " ", "\t\n", "\N{NO-BREAK SPACE}\N{EM SPACE}"])
def test_a_blank_text_is_unknown(name: str, nothing: str | None) -> None:
    """Null, empty and blank are one: the record does not have the field, or an id of its own."""
    first, second = taken(**{name: nothing}), taken(**{name: nothing})
    if name == "eventId":
        assert len({first[name], second[name], "", None}) == 4
    else:
        assert name not in first


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("text", ["\0", "a\0b", "a\0"])
def test_the_nul_character_is_refused(name: str, text: str) -> None:
    """Postgres cannot keep it."""
    assert refused(**{name: text}) == {name}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("text", [1, 1.5, True, ["a"], {"a": 1}])
def test_a_text_must_be_a_string(name: str, text: object) -> None:
    """Numbers, booleans, arrays and objects are not taken for their spelling."""
    assert refused(**{name: text}) == {name}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_script_stays_as_it_is(name: str) -> None:
    """Not a character is lost, normalised or escaped."""
    assert taken(player=name, team=name)["player"] == name


@pytest.mark.parametrize("name", ["None", "undefined", "null", "NaN"])
def test_a_word_that_means_null_is_a_name(name: str) -> None:
    """A player may be called so."""
    assert taken(player=name)["player"] == name


@pytest.mark.parametrize(("name", "limit"), NUMBERS.items())
def test_a_number_lies_within_its_field(name: str, limit: int) -> None:
    """Its bounds are taken, one beyond them is refused."""
    assert [taken(**{name: number})[name] for number in (0, limit)] == [0, limit]
    assert refused(**{name: -1}) == {name}
    if name not in ("homeScore", "awayScore"):  # the contract leaves their limit open
        assert refused(**{name: limit + 1}) == {name}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("number", ["1", 1.5, True, [1], 10**4000, 1e300, float("nan"), ""])
def test_an_integer_must_be_a_whole_number(name: str, number: object) -> None:
    """No text, float, boolean, and nothing beyond what a column can keep."""
    assert refused(**{name: number}) == {name}


@pytest.mark.parametrize("name", NUMBERS)
def test_an_integer_may_be_written_as_a_decimal(name: str) -> None:
    """10.0 is the integer 10, as JSON Schema has it."""
    assert json.dumps(taken(**{name: 10.0})[name]) == "10"


@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "revision"])
def test_an_optional_number_may_be_null(name: str) -> None:
    """Then it is unknown."""
    assert name not in taken(**{name: None})


@pytest.mark.parametrize("value", [0, 1, "true", "false", "", None, []])
def test_a_boolean_must_be_true_or_false(value: object) -> None:
    """A goal is not taken back by a number or a word."""
    assert refused(retracted=value) == {"retracted"}


@pytest.mark.parametrize(
    "match_id", ["00000000-0000-0000-0000-000000000000", "1", "goal", "g" * 32, 1, True, [], {}]
)
def test_a_match_id_is_a_uuid_that_is_not_nil(match_id: object) -> None:
    """Anything else is refused."""
    assert refused(matchId=match_id) == {"matchId"}


def test_a_match_id_in_capitals_is_the_same_match() -> None:
    """It is stored in lower case."""
    match_id = "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE"
    assert taken(matchId=match_id)["matchId"] == match_id.lower()


@pytest.mark.parametrize("name", ["match_id", "MatchId", "event_type", "id", "status", "title", ""])
def test_an_unknown_field_is_refused_by_name(name: str) -> None:
    """Even if its name is nearly that of a known field."""
    assert refused(**{name: "x"}) == {name}


def test_every_refused_field_is_named() -> None:
    """One response lists all errors."""
    wrong = {"matchId": 1, "occurredAt": 1, "eventType": "", "minute": -1, "plyer": "x"}
    assert refused(**wrong) == set(wrong)


@pytest.mark.parametrize("body", ["", "[]", "null", "1", '"goal"', "{", "{}]", "\ufeff{}", "nul"])
def test_an_event_must_be_a_json_object(body: str) -> None:
    """A list, a text or broken JSON is refused."""
    with pytest.raises(ValidationError):
        Event.model_validate_json(body)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2022-12-18T15:36:00Z", "2022-12-18T15:36:00Z"),
        ("2022-12-18t15:36:00z", "2022-12-18T15:36:00Z"),
        ("2022-12-18 15:36:00Z", "2022-12-18T15:36:00Z"),  # RFC 3339, 5.6: "for readability"
        ("2022-12-18T18:36:00+03:00", "2022-12-18T15:36:00Z"),
        ("2022-12-18T15:36:00-00:00", "2022-12-18T15:36:00Z"),
        ("2022-12-18T21:21:00+05:45", "2022-12-18T15:36:00Z"),
        ("2022-12-19T05:36:00+14:00", "2022-12-18T15:36:00Z"),
        ("2022-12-18T15:36:00.5Z", "2022-12-18T15:36:00.500000Z"),
        ("2022-12-18T15:36:00.123456789Z", "2022-12-18T15:36:00.123456Z"),
        ("2024-02-29T23:59:59-12:00", "2024-03-01T11:59:59Z"),
        (
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:59Z",
        ),  # a leap second, which no type here can store
        ("2017-01-01T05:29:60.5+05:30", "2016-12-31T23:59:59.500000Z"),
        ("0001-01-01T14:00:00+14:00", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_a_time_is_converted_to_utc(text: str, utc: str) -> None:
    """Every offset and precision of RFC 3339 leads to the same moment."""
    assert taken(occurredAt=text)["occurredAt"] == utc
    assert parse_rfc3339(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2022-12-18T15:36:00",  # without an offset the time is ambiguous
        "2022-12-18",
        "2022-12-18T15:36Z",
        "2022-12-18T15:36:00+0300",
        "2022-12-18T15:36:00+03",
        "20221218T153600Z",
        "2022-W50-7T15:36:00Z",
        "2022-12-18T15:36:00,5Z",
        "2022-12-18T15:36:00.Z",
        "2022-12-18T15:36:00 Z",
        " 2022-12-18T15:36:00Z",
        "2022-12-18T15:36:00Z\n",
        "2022-12-18T15:36:00UTC",
        "2022-13-18T15:36:00Z",
        "2022-02-29T15:36:00Z",
        "2022-12-18T24:00:00Z",
        "2022-12-18T15:60:00Z",
        "2016-12-31T23:58:60Z",  # there is no leap second but at midnight in UTC
        "2016-12-31T23:59:60+01:00",
        "2016-12-31T23:59:61Z",
        "2022-12-18T15:36:00+24:00",
        "2022-12-18T15:36:00+14:60",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",  # in UTC it is before the year 1
        "9999-12-31T23:59:59-14:00",
        "२२२२-१२-१८T१५:३६:१५Z",
        "now",
        "1671377760",
    ],
)
def test_an_invalid_time_is_refused(text: str) -> None:
    """Naive, out of range, another ISO 8601 form, or none."""
    assert refused(occurredAt=text) == {"occurredAt"}


@pytest.mark.parametrize("value", [0, 1671377760, 1671377760.5, True, [], {}])
def test_a_time_must_not_be_a_number(value: object) -> None:
    """A number has neither a unit nor an epoch."""
    assert refused(occurredAt=value) == {"occurredAt"}


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([Zz]|[+-]\d\d:\d\d)"))
def test_any_text_is_a_time_in_utc_or_refused(text: str) -> None:
    """The only error is a ValueError."""
    with suppress(ValueError):
        assert parse_rfc3339(text).tzinfo is UTC


@given(events_json())
def test_an_event_is_read_from_the_topic_as_it_was_written(body: dict[str, Any]) -> None:
    """The consumer accepts every accepted event, with the same values."""
    posted = Event.model_validate_json(json.dumps(body))
    identified = posted.model_copy(update={"event_id": posted.event_id or "assigned"})
    value = identified.to_json()
    for read in (
        IdentifiedEvent.model_validate_json(value),
        IdentifiedEvent.model_validate(json.loads(value)),
    ):
        assert read.model_dump() == identified.model_dump()


@given(events_json())
def test_a_time_is_unchanged_by_its_conversion(body: dict[str, Any]) -> None:
    """To the microsecond, from any offset."""
    occurred_at = Event.model_validate(body).occurred_at
    assert occurred_at == datetime.fromisoformat(body["occurredAt"])


def test_an_event_on_the_topic_has_an_id() -> None:
    """Without an id it cannot be distinguished from its revisions."""
    for event_id in (None, "", " "):
        with pytest.raises(ValidationError):
            IdentifiedEvent.model_validate(event_json(eventId=event_id))
    with pytest.raises(ValidationError):
        IdentifiedEvent.model_validate(event_json())


def test_a_highlight_id_is_the_uuid5_of_match_and_event() -> None:
    """It is the same in every programming language."""
    assert highlight_id(MATCH, "goal-1") == str(uuid5(MATCH, "goal-1"))
    assert highlight_id(MATCH, "goal-1") == "146d810a-9484-5b9e-854e-9bbbb76acecf"


@given(st.uuids(), st.text(min_size=1, max_size=128))
def test_different_matches_or_events_have_different_highlight_ids(
    match_id: UUID, event_id: str
) -> None:
    """Another match or another event is another highlight."""
    same = highlight_id(match_id, event_id)
    assert same == str(uuid5(match_id, event_id))
    assert same == highlight_id(match_id, event_id)
    assert same != highlight_id(match_id, event_id + "x")
    assert highlight_id(match_id, f"{event_id}A") != highlight_id(match_id, f"{event_id}a")
    assert same != highlight_id(UUID(int=match_id.int ^ 1), event_id)


@pytest.mark.parametrize(
    "spelling",
    ["own_goal", "own-goal", "own goal", "ownGoal", "OwnGoal", "OWN_GOAL", " Own  Goal ",
     "own\N{NON-BREAKING HYPHEN}goal", "goal_own", "goal-own", "owngoal", "OWNGOAL"],
)  # fmt: skip
def test_a_type_is_folded_to_words(spelling: str) -> None:
    """Every usual spelling of a type is that type, on the topic too."""
    assert taken(eventType=spelling)["eventType"] == "own_goal"
    assert IdentifiedEvent.model_validate(
        event_json(eventId="1", eventType=spelling)
    ).event_type == ("own_goal")


@pytest.mark.parametrize(
    ("spelling", "folded"),
    [
        ("goalPenalty", "penalty_goal"), ("penaltygoal", "penalty_goal"), ("Goal", "goal"),
        ("VARReview", "var_review"), ("secondYellow", "second_yellow"), ("Gól", "gól"),
        ("goal!", "goal!"), ("penalty", "penalty"), ("-", "-"), ("サッカー", "サッカー"),
    ],
)  # fmt: skip
def test_any_other_type_is_taken_as_it_is(spelling: str, folded: str) -> None:
    """In lower-case words; an ambiguous type stays a type of its own."""
    assert taken(eventType=spelling)["eventType"] == folded


@given(st.text(min_size=1, max_size=64))
def test_folding_a_type_again_changes_nothing(text: str) -> None:
    """A type is folded when it is posted and again when it is consumed."""
    folded = fold_event_type(text)
    assert folded
    assert fold_event_type(folded) == folded


@pytest.mark.parametrize("period", ["first_half", "extra_time_second", "shootout", None])
def test_a_period_is_one_of_five(period: str | None) -> None:
    """Or unknown."""
    assert taken(period=period).get("period") == period
    assert refused(period="half_time") == {"period"}


METADATA: list[Any] = [
    {}, {"a": None, " b ": [1, 2.5, True, {"c": "  Ñ\u200b "}]}, {"n": 2**64 - 1, "m": -(2**63)},
    {"deep": json.loads("[" * 30 + "]" * 30)}, {"x": "y" * 2040},
]  # fmt: skip


@pytest.mark.parametrize("metadata", METADATA)
def test_metadata_is_kept_as_it_is(metadata: Any) -> None:
    """White space and the order of members are unchanged."""
    assert json.dumps(taken(metadata=metadata)["metadata"]) == json.dumps(metadata)


@pytest.mark.parametrize(
    "metadata",
    [
        [], "x", 1, {"x": "y" * 2041}, {"é" * 1030: 1}, {"a": "\0"}, {"\0": 1}, {"a": 2**64},
        {"a": float("inf")}, {"a": float("nan")}, {"a": json.loads("[" * 40 + "]" * 40)},
    ],
)  # fmt: skip
def test_metadata_that_could_not_be_given_back_is_refused(metadata: Any) -> None:
    """Not an object, more than 2 KiB, or values that JSON or Postgres cannot store."""
    assert refused(metadata=metadata) == {"metadata"}
