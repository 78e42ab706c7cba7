from datetime import UTC, date, datetime
from typing import Any

import pytest

from local.replay.arguments import SAMPLE
from local.replay.openfootball import Goal, Match, UnreadableFileError, parse, read


def a_match(**fields: Any) -> Match:
    """Read one match whose row has `fields` beside its date and teams."""
    row = {"date": "2022-12-18", "team1": "Argentina", "team2": "France"} | fields
    return parse({"name": "World Cup 2022", "matches": [row]})[0]


def a_goal(**fields: Any) -> Goal:
    """Read one goal of the home side."""
    return a_match(goals1=[fields]).goals[0]


def test_the_sample_has_the_64_matches_and_172_goals_of_2022() -> None:
    """The sample is the whole World Cup, own goals and penalties by their kinds."""
    matches = read(SAMPLE)
    kinds = [goal.kind for match in matches for goal in match.goals]
    assert len(matches) == 64
    assert len(kinds) == 172
    assert (kinds.count("own_goal"), kinds.count("penalty_goal")) == (2, 17)


def test_a_shoot_out_changes_neither_score_nor_goals() -> None:
    """The final of 2022 ended 3-3 with six goals, without the shoot-out."""
    final = read(SAMPLE)[-1]
    assert (final.home, final.away, final.score) == ("Argentina", "France", (3, 3))
    assert len(final.goals) == 6


@pytest.mark.parametrize(
    ("minute", "offset", "clock"),
    [
        (23, None, (23, None)),
        ("23", None, (23, None)),
        ("23'", None, (23, None)),
        (90, 4, (90, 4)),
        (90, "4", (90, 4)),
        ("90", 4, (90, 4)),
        ("90+4", None, (90, 4)),
        ("45'+2'", None, (45, 2)),
        ("45 + 2", None, (45, 2)),
        ("90+", None, (90, None)),
        (90, 0, (90, None)),
        (90, 31, (90, None)),
        (0, None, (0, None)),
        (None, None, (None, None)),
        (None, 3, (None, None)),
        ("?", None, (None, None)),
        ("", None, (None, None)),
        (-3, None, (None, None)),
        (151, None, (None, None)),
        (1900, None, (None, None)),
        (True, None, (None, None)),
        ({"from": 3}, [4], (None, None)),
    ],
)
def test_a_minute_is_read_in_every_format(
    minute: object, offset: object, clock: tuple[int | None, int | None]
) -> None:
    """Numbers, texts and offsets make minute and added time; anything else is unknown."""
    goal = a_goal(name="Messi", minute=minute, offset=offset)
    assert (goal.minute, goal.added_time) == clock


def test_a_goal_needs_neither_scorer_nor_minute() -> None:
    """Neither scorer nor minute has to be known."""
    assert a_goal() == Goal("home", "goal", None, None, None)


@pytest.mark.parametrize("name", [None, "", "  ", "?"])
def test_an_unknown_scorer_is_none(name: str | None) -> None:
    """A blank is no name."""
    assert a_goal(name=name, minute=1).player is None


def test_an_own_goal_belongs_to_the_side_under_which_the_file_has_it() -> None:
    """The file credits it to the side that benefits, and so does the goal."""
    match = a_match(goals2=[{"name": "Marcelo", "minute": 11, "owngoal": True}])
    assert match.goals == (Goal("away", "own_goal", "Marcelo", 11, None),)


@pytest.mark.parametrize(
    ("team", "name"),
    [
        ("Côte d'Ivoire", "Côte d'Ivoire"),
        ({"name": "France", "code": "FRA"}, "France"),
        ({"code": "FRA"}, "FRA"),
    ],
)
def test_a_team_is_a_text_or_an_object(team: object, name: str) -> None:
    """Older files have an object with name and code."""
    assert a_match(team1=team).home == name


@pytest.mark.parametrize("goals", [{}, {"goals1": None}, {"goals1": [], "goals2": None}])
def test_goals_may_be_missing(goals: dict[str, Any]) -> None:
    """A goalless match may leave out its lists."""
    assert a_match(**goals).goals == ()


@pytest.mark.parametrize(
    ("score", "final"),
    [
        ({"ft": [2, 1], "ht": [0, 0]}, (2, 1)),
        ({"ft": [2, 2], "et": [3, 3], "p": [4, 2]}, (3, 3)),
        ({}, None),
        ({"ft": [None, None]}, None),
        (None, None),
        ("2-1", None),
    ],
)
def test_the_score_is_the_last_one_before_a_shoot_out(
    score: object, final: tuple[int, int] | None
) -> None:
    """Extra time counts, a shoot-out does not, and a score may be missing."""
    assert a_match(score=score).score == final


@pytest.mark.parametrize(
    ("fields", "utc"),
    [
        ({"time": "19:00"}, "2022-12-18T19:00"),
        ({"time": "17:00 UTC-3"}, "2022-12-18T20:00"),
        ({"time": "17:00 UTC+3"}, "2022-12-18T14:00"),
        ({"time": "22:00 UTC+05:30"}, "2022-12-18T16:30"),
        ({"time": "22:00 UTC-4"}, "2022-12-19T02:00"),
        ({"time": "13:00", "timezone": "UTC+3"}, "2022-12-18T10:00"),
        ({}, "2022-12-18T12:00"),
        ({"time": "tba"}, "2022-12-18T12:00"),
        ({"time": "25:00"}, "2022-12-18T12:00"),
    ],
)
def test_kick_off_is_in_utc(fields: dict[str, Any], utc: str) -> None:
    """Without an offset the time is UTC, and without a time it is midday."""
    assert a_match(**fields).kick_off == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_older_files_have_rounds_of_matches() -> None:
    """As files had them before 2020."""
    row = {"date": "2018-07-15", "team1": {"name": "France"}, "team2": {"name": "Croatia"}}
    match = parse({"name": "World Cup 2018", "rounds": [{"name": "Final", "matches": [row]}]})[0]
    assert (match.competition, match.date) == ("World Cup 2018", date(2018, 7, 15))


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "the document"),
        ({"matches": []}, "no matches"),
        ({"standings": []}, "no matches"),
        ({"matches": [{"date": "2022-12-18", "team1": "Argentina"}]}, "matches.0.team2"),
        ({"matches": [{"team1": "Argentina", "team2": "France"}]}, "matches.0.date"),
        (
            {"matches": [{"date": "2022-12-18", "team1": "A", "team2": "B", "goals1": [7]}]},
            "matches.0.goals1.0",
        ),
    ],
)
def test_another_format_is_an_error_with_its_location(document: object, why: str) -> None:
    """The message names what is wrong."""
    with pytest.raises(UnreadableFileError, match=why):
        parse(document)
