import math
from datetime import UTC, date, datetime

from local.replay.feed import events
from local.replay.openfootball import Goal, Match
from local.replay.schedule import plan


def a_match(home: str, *minutes: int) -> Match:
    """Make a match with goals of the home side in these minutes."""
    day = date(2022, 12, 18)
    goals = tuple(Goal("home", "goal", None, minute, None) for minute in minutes)
    return Match("Cup", day, datetime(2022, 12, 18, 15, tzinfo=UTC), home, "Away", goals, None)


MATCHES = [a_match("One", 10, 46), a_match("Two", 20), a_match("Goalless")]


def test_a_match_is_a_lane_with_its_own_clock() -> None:
    """At speed 60 a match minute is a second, half-time included; all kick off together."""
    lanes = plan(MATCHES, speed=60)
    assert [[due for due, _ in lane] for lane in lanes] == [[10, 61], [20]]


def test_at_infinite_speed_everything_is_due_at_once_and_in_order() -> None:
    """The order within a match stays."""
    one, two = plan(MATCHES, speed=math.inf)
    assert [event for _, event in one] == events(MATCHES[0])
    assert {due for due, _ in [*one, *two]} == {0}


def test_a_repeated_goal_is_due_at_the_same_time() -> None:
    """One after the other."""
    one, _ = plan(MATCHES, speed=60, times=2)
    first, second = events(MATCHES[0])
    assert [event for _, event in one] == [first, first, second, second]


def test_a_shuffle_has_every_goal_and_the_order_of_its_seed() -> None:
    """The same seed gives the same order, another one another, and none loses a goal."""
    many = [a_match(str(number), *range(1, 20)) for number in range(5)]
    orders = [
        [event for lane in plan(many, speed=60, times=3, shuffle=seed) for _, event in lane]
        for seed in (1, 1, 2)
    ]
    assert orders[0] == orders[1] != orders[2]
    assert all(order.count(event) == 3 for order in orders for m in many for event in events(m))
    assert len(orders[0]) == 3 * 5 * 19
