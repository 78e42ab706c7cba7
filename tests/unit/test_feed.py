from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from local.replay.arguments import SAMPLE
from local.replay.feed import events, match_id
from local.replay.match_clock import timeline
from local.replay.openfootball import Goal, Kind, Match, Side, read

KICK_OFF = datetime(2022, 12, 18, 15, tzinfo=UTC)


def goal(
    side: Side, minute: int | None, added: int | None = None, player: str | None = "Mbappé"
) -> Goal:
    """Make a goal."""
    kind: Kind = "goal"
    return Goal(side, kind, player, minute, added)


def match(*goals: Goal) -> Match:
    """Make a match with these goals."""
    day = date(2022, 12, 18)
    return Match("World Cup 2022", day, KICK_OFF, "Argentina", "France", goals, None)


def minutes(*goals: Goal) -> list[float]:
    """Return the minutes since kick-off of these goals, in order."""
    return [at / timedelta(minutes=1) for at, _ in timeline(goals)]


def test_the_running_score_ends_at_the_final_score_in_every_match_of_the_sample() -> None:
    """The 172 goals add up to the scores of the file."""
    for played in read(SAMPLE):
        last = [(event.home_score, event.away_score) for event in events(played)][-1:]
        assert (last or [(0, 0)]) == [played.score]


def test_ids_of_the_sample_are_distinct_and_the_same_in_every_run() -> None:
    """172 goals have 172 ids, and reading the file again changes none."""
    first, second = ([e.event_id for m in read(SAMPLE) for e in events(m)] for _ in range(2))
    assert first == second
    assert len(set(first)) == 172


def test_the_times_of_a_match_increase() -> None:
    """No goal is at or before the time of the previous one."""
    for played in read(SAMPLE):
        for before, after in pairwise(events(played)):
            assert before.occurred_at < after.occurred_at


def test_goals_of_both_sides_are_merged_by_the_clock() -> None:
    """The score after each goal is the score of that moment, 45+2 before 46."""
    sent = events(match(goal("home", 46), goal("home", 10), goal("away", 45, 2)))
    assert [(e.minute, e.added_time, e.home_score, e.away_score) for e in sent] == [
        (10, None, 1, 0),
        (45, 2, 1, 1),
        (46, None, 2, 1),
    ]


def test_an_event_has_all_facts_of_the_file() -> None:
    """Kind, side, scorer, clock, teams and score are in the event."""
    own_goal = replace(goal("away", 90, 4, "Enzo Fernández"), kind="own_goal")
    (event,) = events(match(own_goal))
    assert event.model_dump(mode="json", by_alias=True, exclude_none=True) == {
        "matchId": str(match_id(match())),
        "eventId": f"{match_id(match())}:away:90.4:1",
        "occurredAt": "2022-12-18T16:49:00Z",
        "eventType": "own_goal",
        "team": "away",
        "player": "Enzo Fernández",
        "minute": 90,
        "addedTime": 4,
        "homeTeam": "Argentina",
        "awayTeam": "France",
        "homeScore": 0,
        "awayScore": 1,
        "revision": 0,
        "retracted": False,
    }


def test_two_goals_of_one_player_in_one_minute_are_two_events() -> None:
    """Their ids differ, and the second is a second later."""
    first, second = events(match(goal("home", 80), goal("home", 80)))
    assert first.event_id != second.event_id
    assert second.occurred_at - first.occurred_at == timedelta(seconds=1)


def test_a_corrected_scorer_keeps_the_event_id() -> None:
    """A correction is of the same goal."""
    (before,), (after,) = (
        events(match(goal("home", 80, player=player))) for player in (None, "Messi")
    )
    assert before.event_id == after.event_id


def test_a_match_id_is_of_competition_date_and_teams() -> None:
    """Each of them makes another match, and nothing else does."""
    one = match()
    others = [
        replace(one, competition="Friendly"),
        replace(one, date=date(2018, 6, 30)),
        replace(one, home="Brazil"),
        replace(one, away="Brazil"),
    ]
    assert len({match_id(other) for other in [one, *others]}) == 5
    assert match_id(replace(one, kick_off=KICK_OFF + timedelta(hours=1))) == match_id(one)


def test_the_clock_has_a_half_time() -> None:
    """Minute 46 is 15 minutes later than on a running watch."""
    assert minutes(goal("home", 45), goal("away", 46)) == [45, 61]


@pytest.mark.parametrize("added", [1, 15, 16, 17, 30])
def test_the_second_half_begins_after_the_first_halfs_stoppage_time(added: int) -> None:
    """However long stoppage time was, 46 comes a break after it."""
    assert minutes(goal("home", 46), goal("away", 45, added)) == [45 + added, 61 + added]


def test_extra_time_follows_full_time() -> None:
    """Five minutes of break before extra time, one at its half."""
    goals = [
        goal("home", minute, added) for minute, added in ((90, 8), (91, 0), (105, 3), (106, 0))
    ]
    assert minutes(*goals) == [113, 119, 136, 138]


def test_a_goal_without_a_minute_comes_last() -> None:
    """At full time, or with the latest goal that has a minute."""
    unknown = goal("away", None)
    assert minutes(unknown, goal("home", 30)) == [30, 105]
    assert [sent for _, sent in timeline([unknown, goal("home", 118)])][-1] == unknown


def test_a_goal_without_a_minute_makes_an_event_without_one() -> None:
    """Unknown facts are left out."""
    (event,) = events(match(goal("away", None, player=None)))
    assert (event.minute, event.added_time, event.player) == (None, None, None)
