import pytest

from local.replay.openfootball import Match, parse
from local.replay.selection import NoSuchMatchError, select


def matches(*pairs: tuple[str, str]) -> list[Match]:
    """Make a match of each pair of teams."""
    return parse(
        {"matches": [{"date": "2022-12-01", "team1": one, "team2": two} for one, two in pairs]}
    )


ALL = matches(
    ("Argentina", "Saudi Arabia"),
    ("Türkiye", "Côte d'Ivoire"),
    ("Argentina", "France"),
)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ([], ALL),
        (["argentina"], [ALL[0], ALL[2]]),
        (["france ARGENTINA"], [ALL[2]]),
        (["turkiye"], [ALL[1]]),
        (["COTE IVOIRE"], [ALL[1]]),
        (["france", "saudi"], [ALL[0], ALL[2]]),
        (["france", "argentina"], [ALL[0], ALL[2]]),
    ],
)
def test_words_select_matches_by_their_teams(wanted: list[str], chosen: list[Match]) -> None:
    """All words of a text have to match, in any order, without regard to case and accents."""
    assert select(ALL, wanted) == chosen


def test_a_text_that_selects_nothing_is_an_error_with_the_teams() -> None:
    """Also if it is one of several."""
    with pytest.raises(
        NoSuchMatchError, match=r"'brazil'.*Argentina, Côte d'Ivoire, France, Saudi"
    ):
        select(ALL, ["france", "brazil"])
