"""Matches in JSON Lines, with the kicks of their shoot-outs."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from local.replay.arguments import SAMPLE
from local.replay.feed import events
from local.replay.match_lines import read
from local.replay.openfootball import Match, UnreadableFileError

SHOOTOUTS = SAMPLE.with_name("shootouts_2022.jsonl")
MATCHES = read(SHOOTOUTS)
SCORES = [(1, 3), (3, 0), (4, 2), (3, 4), (4, 2)]


def test_the_sample_has_the_five_shoot_outs_of_2022() -> None:
    """With the score of each at its end, and 26 of 41 kicks that went in."""
    assert [match.kicks[-1].score for match in MATCHES] == SCORES
    kicks = Counter(kick.scored for match in MATCHES for kick in match.kicks)
    assert kicks == {True: 26, False: 15}


@pytest.mark.parametrize("match", MATCHES, ids=lambda match: f"{match.home}-{match.away}")
def test_the_sides_take_turns_and_their_kicks_make_the_score(match: Match) -> None:
    """A kick that is missed is of the side whose turn it is."""
    assert all(before.side != after.side for before, after in pairwise(match.kicks))
    scored = Counter(kick.side for kick in match.kicks if kick.scored)
    assert (scored["home"], scored["away"]) == match.kicks[-1].score


@pytest.mark.parametrize("match", MATCHES, ids=lambda match: f"{match.home}-{match.away}")
def test_kicks_come_after_the_match_and_do_not_change_its_score(match: Match) -> None:
    """Each is an event of the shoot-out, with the shoot-out's score beside that of the match."""
    sent = events(match)
    kicks = sent[len(match.goals) :]
    assert [event.period for event in sent] == [None] * len(match.goals) + ["shootout"] * len(kicks)
    assert {(event.home_score, event.away_score) for event in kicks} == {match.score}
    assert {event.event_type for event in kicks} <= {"shootout_goal", "shootout_miss"}
    assert all(before.occurred_at < after.occurred_at for before, after in pairwise(sent))
    assert len({event.event_id for event in sent}) == len(sent)


def line(**fields: Any) -> str:
    """Return a match as a line, with these fields put in or, if None, left out."""
    first = SHOOTOUTS.read_text().splitlines()[0]
    match = json.loads(first) | fields
    return json.dumps({name: value for name, value in match.items() if value is not None})


@pytest.mark.parametrize(
    ("text", "where"),
    [("{", "line 1"), ("[]", "line 1"), (line(team1=None), "team1"), (line(score=[1]), "score")],
)
def test_a_line_that_is_no_match_is_an_error_with_its_number(
    text: str, where: str, tmp_path: Path
) -> None:
    """And with the reason."""
    file = tmp_path / "matches.jsonl"
    file.write_text(text)
    with pytest.raises(UnreadableFileError, match=where):
        read(file)
