"""When each event is posted, and which waits for which."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from functions.shared.contract.event import Event
from local.replay.feed import events
from local.replay.openfootball import Match

SHUFFLED_LANES = 8


class Posting(NamedTuple):
    """An event and the seconds after the start of the replay at which it is due."""

    due: float
    event: Event


Lane = list[Posting]


def plan(
    matches: Sequence[Match], *, speed: float, times: int = 1, shuffle: int | None = None
) -> list[Lane]:
    """Return lanes of postings; within one, each waits until the one before it is accepted.

    A lane is a match, whose goals are due by the match clock, `speed` times as fast as real time;
    all matches kick off together. With a speed of infinity all goals are due at once. With a seed
    in `shuffle` the order is random, all are due at once, and lanes only limit the concurrent
    posts. Each goal is posted `times` times.
    """
    if shuffle is None:
        lanes = [_by_the_clock(match, speed, times) for match in matches]
    else:
        lanes = _shuffled(matches, shuffle, times)
    return [lane for lane in lanes if lane]


def _by_the_clock(match: Match, speed: float, times: int) -> Lane:
    due = {
        event: (event.occurred_at - match.kick_off).total_seconds() / speed
        for event in events(match)
    }
    return [Posting(due[event], event) for event in due for _ in range(times)]


def _shuffled(matches: Sequence[Match], seed: int, times: int) -> list[Lane]:
    postings = [Posting(0, event) for match in matches for event in events(match)] * times
    random.Random(seed).shuffle(postings)  # noqa: S311 - an order, not a secret
    return [postings[lane::SHUFFLED_LANES] for lane in range(SHUFFLED_LANES)]
