"""The parameters of GET /highlights."""

from collections.abc import Mapping
from datetime import UTC, datetime
from time import process_time
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.list_highlights.query import PARAMETERS, Query, cursor_of, parse_query
from functions.shared.contract.highlight import SHOWN_STATUSES
from functions.shared.contract.team_names import fold_name
from functions.shared.errors import InvalidInput
from functions.shared.http.problems import problem_of
from functions.shared.http.query_parameters import MAY_BE_EMPTY
from functions.shared.postgres.highlight_sql import FILTERS
from functions.shared.postgres.highlights import Document
from tests.support.builders.events import MATCH, NAMES

MOMENT = "0123abcd-7"
LAST = Document(UUID(int=7), "2022-12-18T15:36:00.123456Z", "{}")


def filters(query_string: str = "", **parameters: str) -> Mapping[str, Any]:
    """Return the filters of a query."""
    return parse_query(query_string or urlencode(parameters)).filters


def errors(query_string: str) -> dict[str, list[str]]:
    """Return the errors of a query, by parameter."""
    with pytest.raises(InvalidInput) as refusal:
        parse_query(query_string)
    return dict(refusal.value.errors)


def followed(query: Query, last: Document = LAST) -> Query:
    """Return the query of the `Link` to the next page."""
    target, _, relation = query.links(last, MOMENT).partition(", ")[0].partition(">; ")
    assert relation == 'rel="next"'
    assert target.startswith("<?")  # a relative reference leads out of no prefix
    return parse_query(urlsplit(target.removeprefix("<")).query)


def test_without_parameters_all_but_retracted_highlights_are_listed() -> None:
    """The first fifty."""
    query = parse_query("")
    assert query.filters == {"not_retracted": True}
    assert (query.page, query.page_size, query.offset) == (1, 50, 0)


def test_each_parameter_is_a_filter() -> None:
    """By its own value."""
    assert filters(
        matchId=str(MATCH),
        status="READY",
        team="home",
        eventType="goal",
        updatedSince="2022-12-18T16:36:00+01:00",
    ) == {
        "match_id": MATCH,
        "status": "READY",
        "side": "home",
        "event_type": "goal",
        "updated_since": datetime(2022, 12, 18, 15, 36, tzinfo=UTC),
    }


@pytest.mark.parametrize("status", SHOWN_STATUSES)
def test_a_status_is_in_any_case(status: str) -> None:
    """And one status excludes the others; RETRACTED is one too."""
    for spelt in (status, status.lower(), status.title()):
        assert filters(status=spelt) == {"status": status}


@pytest.mark.parametrize(
    "status",
    ["DONE", "READ", "READY,FAILED_AI", "%", "null", "PEND\N{LATIN SMALL LETTER DOTLESS I}NG_AI"],
)
def test_an_unknown_status_is_refused(status: str) -> None:
    """The error lists those that there are."""
    (why,) = errors(urlencode({"status": status}))["status"]
    assert all(known in why for known in SHOWN_STATUSES)


@pytest.mark.parametrize("name", NAMES)
def test_a_team_may_be_in_any_script(name: str) -> None:
    """As the URL has it, decoded."""
    assert filters(f"team={quote(name)}")["team_key"] == fold_name(name)


@pytest.mark.parametrize(
    ("text", "page"),
    [("1", 1), ("2", 2), ("0", 1), ("-5", 1), (" 3 ", 3)],
)
def test_a_page_out_of_range_is_clamped(text: str, page: int) -> None:
    """There is no page before the first."""
    assert parse_query(urlencode({"page": text})).page == page


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("100", 100), ("0", 1), ("-1", 1), ("101", 100), ("9" * 29, 100)]
)
def test_a_page_size_out_of_range_is_clamped(text: str, size: int) -> None:
    """Between 1 and 100."""
    assert parse_query(urlencode({"pageSize": text})).page_size == size


def test_a_number_of_any_length_is_clamped() -> None:
    """However far out of range it is."""
    assert parse_query(f"pageSize={'9' * 40}").page_size == 100
    assert parse_query(f"page=-{'9' * 4000}").page == 1


def test_a_query_that_is_too_long_is_refused_before_it_is_parsed() -> None:
    """Parsing and caching it would cost time and memory."""
    assert list(errors("&".join(f"name{number}" for number in range(100_000)))) == ["query"]
    assert list(errors(f"team={'x' * 5000}")) == ["query"]
    assert len(errors("&".join(f"n{number}=1" for number in range(500)))) == 50


@pytest.mark.parametrize("text", ["0" * 4000 + "x", "+" + "0" * 4000 + "-", "1" * 4000 + "."])
def test_a_long_invalid_number_is_refused_quickly(text: str) -> None:
    """A check whose time grows with the square of the length would delay all other readers."""
    start = process_time()
    assert list(errors(urlencode({"page": text}))) == ["page"]
    assert process_time() - start < 1


def test_a_page_begins_after_the_earlier_pages() -> None:
    """Page 3 of 20 begins after 40."""
    assert parse_query("page=3&pageSize=20").offset == 40


@pytest.mark.parametrize(
    ("query_string", "name"),
    [
        ("matchId=1", "matchId"),
        ("matchId=00000000", "matchId"),
        ("matchId=None", "matchId"),
        ("updatedSince=yesterday", "updatedSince"),
        ("updatedSince=2022-12-18", "updatedSince"),
        ("updatedSince=2022-12-18T15:36:00", "updatedSince"),
        ("updatedSince=1671377760", "updatedSince"),
        ("updatedSince=0001-01-01T00:00:00%2B14:00", "updatedSince"),
        ("page=two", "page"),
        ("page=1.5", "page"),
        ("page=1_0", "page"),
        ("page=%D9%A3", "page"),
        ("pageSize=all", "pageSize"),
        ("pageSize=1e2", "pageSize"),
        ("cursor=x", "cursor"),
        ("cursor=%FF%FF", "cursor"),
        ("cursor=MjAyMi0xMi0xOA", "cursor"),
        ("team=%00", "team"),
        ("eventType=a%00b", "eventType"),
    ],
)
def test_an_invalid_value_is_refused_by_its_parameter(query_string: str, name: str) -> None:
    """With the reason."""
    found = errors(query_string)
    assert list(found) == [name]
    assert all(found[name])


def test_all_errors_are_reported_at_once() -> None:
    """Of known and unknown parameters."""
    assert set(errors("matchId=1&page=x&pageSize=x&status=x&plyer=x")) == {
        "matchId", "page", "pageSize", "status", "plyer",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "hint"),
    [("match_id", "matchId"), ("matchid", "matchId"), ("limit", None), ("page_size", "pageSize"),
     ("since", None), ("types", None), ("state", "status"), ("Team", "team"), ("", None)],
)  # fmt: skip
def test_an_unknown_parameter_is_refused_with_a_hint(name: str, hint: str | None) -> None:
    """If its name is nearly right."""
    (why,) = errors(f"{name}=x")[name]
    assert why == (f"is unknown; did you mean {hint}?" if hint else "is unknown")


def test_a_plus_that_is_not_encoded_is_accepted_in_an_offset() -> None:
    """It is the most common mistake with times in URLs."""
    requested = filters("updatedSince=2022-12-18T16:36:00+01:00")
    assert requested["updated_since"] == datetime(2022, 12, 18, 15, 36, tzinfo=UTC)


def test_a_time_may_have_a_space_as_in_an_event() -> None:
    """RFC 3339 allows it, and so does POST /events."""
    requested = filters("updatedSince=2022-12-18%2015:36:00Z")
    assert requested["updated_since"] == datetime(2022, 12, 18, 15, 36, tzinfo=UTC)


@pytest.mark.parametrize("name", ["team", "eventType"])
def test_a_blank_team_or_type_is_no_filter(name: str) -> None:
    """As a form sends it."""
    for blank in ("", "%20", "+"):
        assert filters(f"{name}={blank}") == {"not_retracted": True}


@pytest.mark.parametrize("name", sorted({*PARAMETERS} - MAY_BE_EMPTY))
def test_any_other_parameter_must_not_be_empty(name: str) -> None:
    """An empty text is no UUID, status, time, number or cursor."""
    for blank in ("", "%20", "+"):
        assert list(errors(f"{name}={blank}")) == [name]


@pytest.mark.parametrize(
    ("query_string", "beyond"),
    [
        ("page=100&pageSize=100", False),
        ("page=101&pageSize=100", True),
        ("page=200", False),
        ("page=201", True),
        ("page=10000&pageSize=1", False),
        ("page=10001&pageSize=1", True),
        (f"page={'9' * 40}", True),
        ("page=143&pageSize=70", True),
    ],
)
def test_pages_by_number_end_after_ten_thousand_highlights(query_string: str, beyond: bool) -> None:
    """Counting up to further ones takes long; the error says how to read them."""
    if beyond:
        assert "cursor" in errors(query_string)["page"][0]
    else:
        assert parse_query(query_string).page > 1


@pytest.mark.parametrize("team", ["home", "HOME", " Away "])
def test_a_side_is_a_filter_by_its_word(team: str) -> None:
    """In any case."""
    assert filters(team=team)["side"] == team.strip().lower()


def test_a_name_in_two_forms_of_unicode_is_the_same_filter() -> None:
    """Composed and decomposed, in capitals or not."""
    requested = {
        filters(team=name)["team_key"] for name in ("São Paulo", "Sa\u0303o Paulo", "SÃO PAULO")
    }
    assert requested == {"s\u00e3o paulo"}


@pytest.mark.parametrize("spelling", ["own_goal", "ownGoal", "Own Goal", "own-goal", "goal_own"])
def test_an_event_type_may_be_in_any_spelling(spelling: str) -> None:
    """As in an event."""
    assert filters(eventType=spelling)["event_type"] == "own_goal"


def test_every_filter_of_a_query_has_its_sql() -> None:
    """Otherwise the store would ignore it, and list too much."""
    query = parse_query(
        f"matchId={MATCH}&status=ready&team=a&eventType=a&updatedSince=2022-12-18T15:36:00Z"
    )
    wanted = {*query.filters, *parse_query("team=home").filters, *followed(query).filters}
    assert wanted - set(FILTERS) == {"after_id"}


def test_a_cursor_continues_after_the_last_highlight() -> None:
    """By its time, to the microsecond, and its id."""
    assert parse_query(f"cursor={cursor_of(LAST)}").filters == {
        "not_retracted": True,
        "after": datetime(2022, 12, 18, 15, 36, 0, 123456, tzinfo=UTC),
        "after_id": UUID(int=7),
    }


def test_a_link_keeps_the_parameters() -> None:
    """All but the page, which the cursor replaces."""
    query = parse_query(f"matchId={MATCH}&status=ready&team=S%C3%A3o+Paulo&pageSize=7&page=3")
    following = followed(query)
    assert following.filters == {
        **query.filters,
        "after": datetime(2022, 12, 18, 15, 36, 0, 123456, tzinfo=UTC),
        "after_id": UUID(int=7),
    }
    assert (following.page, following.page_size) == (1, 7)


def test_the_link_of_a_linked_page_has_one_cursor() -> None:
    """The latest, and no page number."""
    further = Document(UUID(int=8), "2022-12-18T15:00:00Z", "{}")
    link = followed(parse_query("team=a&page=2")).links(further, MOMENT)
    target = urlsplit(link.removeprefix("<").partition(">")[0])
    assert parse_qs(target.query) == {"team": ["a"], "cursor": [cursor_of(further)]}


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.uuids(),
    st.dictionaries(st.sampled_from(["team", "eventType"]), st.sampled_from(NAMES)),
)
def test_any_cursor_is_decoded_as_it_was_encoded(
    occurred_at: datetime, highlight_id: UUID, parameters: dict[str, str]
) -> None:
    """With any other filter beside it."""
    last = Document(highlight_id, occurred_at.isoformat().replace("+00:00", "Z"), "{}")
    following = followed(parse_query(urlencode(parameters)), last).filters
    assert (following["after"], following["after_id"]) == (occurred_at, highlight_id)
    assert following.get("team_key") == (fold_name(parameters.get("team", "")) or None)


@pytest.mark.parametrize("status", ["pageSize=50", "status=READY", "status=ready"])
def test_the_first_page_of_a_match_may_be_cached(status: str) -> None:
    """Of all highlights, or of those that are READY."""
    assert parse_query(f"matchId={MATCH}&{status}").cache_key is not None


@pytest.mark.parametrize(
    "parameters",
    ["status=PENDING_AI", "status=FAILED_AI", "status=RETRACTED", "team=home", "eventType=goal",
     "updatedSince=2022-12-18T15:36:00Z", "page=2", f"cursor={cursor_of(LAST)}",
     "status=READY&team=home"],
)  # fmt: skip
def test_no_other_page_is_cached(parameters: str) -> None:
    """There would be too many of them."""
    assert parse_query(f"matchId={MATCH}&{parameters}").cache_key is None
    assert parse_query(parameters).cache_key is None


def test_different_pages_have_different_cache_keys() -> None:
    """By match, status and size; different spellings of the same query have the same key."""
    other = UUID(int=2)
    requested = [f"matchId={MATCH}", f"matchId={other}", f"matchId={MATCH}&status=READY",
             f"matchId={MATCH}&pageSize=7"]  # fmt: skip
    assert len({parse_query(query_string).cache_key for query_string in requested}) == 4
    same = [f"matchId={MATCH}", f"pageSize=50&page=1&matchId={str(MATCH).upper()}"]
    assert len({parse_query(query_string).cache_key for query_string in same}) == 1


def test_equal_query_strings_make_the_same_query() -> None:
    """So that concurrent readers of the same page share one read."""
    assert parse_query(f"matchId={MATCH}&page=1") is parse_query(f"matchId={MATCH}&page=1")


PAIRS = st.tuples(
    st.sampled_from([*PARAMETERS, "match_id", "x"]) | st.text(),
    st.text()
    | st.integers().map(str)
    | st.sampled_from([str(MATCH), *SHOWN_STATUSES, cursor_of(LAST)]),
)


@given(st.text() | st.lists(PAIRS).map(urlencode))
def test_any_query_string_is_parsed_or_refused(query_string: str) -> None:
    """Nothing else is raised, and the store can run any query that was parsed."""
    try:
        query = parse_query(query_string)
    except InvalidInput as refusal:
        error = refusal
    else:
        assert 1 <= query.page_size <= 100
        assert query.offset >= 0
        assert followed(query).filters["after_id"] == LAST.id
        return
    assert error.errors
    problem = problem_of(error)
    assert problem.status == 400
    assert problem.response().body


@pytest.mark.parametrize("again", ["pageSize=7", "pageSize=", "pageSize=50"])
def test_a_parameter_is_given_once(again: str) -> None:
    """Of two values either could be meant."""
    assert errors(f"pageSize=50&{again}")["pageSize"][-1] == "must be given once"


def test_a_page_beside_a_cursor_must_be_a_number() -> None:
    """Although the cursor replaces it."""
    assert list(errors(f"page=true&cursor={cursor_of(LAST)}")) == ["page"]
    assert parse_query(f"page=7&cursor={cursor_of(LAST)}").page == 1
