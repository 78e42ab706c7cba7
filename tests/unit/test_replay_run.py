import asyncio
import json
import math
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest

from local.replay import match_lines
from local.replay.arguments import SAMPLE
from local.replay.feed import events
from local.replay.openfootball import Match, read
from local.replay.posting import Accepted, Clock
from local.replay.progress import Listener
from local.replay.report import Report
from local.replay.run import Options, replay
from local.replay.selection import select
from tests.support.builders.events import id_of

ALL = read(SAMPLE)
SHOOTOUTS = SAMPLE.with_name("shootouts_2022.jsonl")
FINAL = select(ALL, ["argentina france"])


class GoalStream(Clock):
    """An in-memory GoalStream behind httpx's interface, and a clock that only `sleep` advances.

    `refused` maps an `eventId` to the status of its refusal; `statuses` are those of a highlight
    at each poll of its list, the last one from then on, or None while it does not exist.
    """

    def __init__(self, *statuses: str | None, page_size: int = 100) -> None:
        self.now = 0.0
        self.authorizations: set[str | None] = set()
        self.posted: list[tuple[float, dict[str, Any]]] = []
        self.refused: dict[str, int] = {}
        self.highlights: dict[str, dict[str, Any]] = {}
        self._statuses = list(statuses or ("READY",))
        self._page_size = page_size
        self._polls: dict[str, int] = {}

    def monotonic(self) -> float:
        """Return the seconds that were slept."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.now += seconds

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        await asyncio.sleep(0)  # so that requests interleave, as on a network
        self.authorizations.add(request.headers.get("Authorization"))
        if request.method == "POST":
            return self._accept(json.loads(request.content))
        if request.url.path != "/highlights":
            return self._one(request.url.path.rpartition("/")[2])
        return self._list(request.url)

    def _accept(self, event: dict[str, Any]) -> httpx.Response:
        status = self.refused.get(event["eventId"])
        if status:
            return httpx.Response(status, json={"detail": "no"})
        self.posted.append((self.now, event))
        id_ = str(id_of(UUID(event["matchId"]), event["eventId"]))
        self.highlights[id_] = {"id": id_, "matchId": event["matchId"], "polls": 0}
        if event.get("period") == "shootout":
            del self.highlights[id_]
            return httpx.Response(202, json={"highlightId": id_, "highlight": "none"})
        return httpx.Response(202, json={"highlightId": id_, "highlight": "expected"})

    def _one(self, id_: str) -> httpx.Response:
        status = self._statuses[-1]
        if id_ not in self.highlights or status is None:
            return httpx.Response(404, json={"detail": "no such highlight"})
        return httpx.Response(200, json=self.highlights[id_] | {"status": status})

    def _list(self, url: httpx.URL) -> httpx.Response:
        start, match = int(url.params.get("cursor", 0)), url.params["matchId"]
        if not start:
            self._polls[match] = self._polls.get(match, -1) + 1
        status = self._statuses[min(self._polls[match], len(self._statuses) - 1)]
        found = [h | {"status": status} for h in self.highlights.values() if h["matchId"] == match]
        rows = found[start : start + self._page_size] if status else []
        more = start + self._page_size < len(found)
        following = url.copy_set_param("cursor", start + self._page_size)
        headers = {"Link": f'<{following.raw_path.decode()}>; rel="next"'} if more else {}
        return httpx.Response(200, json=rows, headers=headers)


class Recorder(Listener):
    """A listener that records each call."""

    def __init__(self) -> None:
        self.accepted_ids: list[str | None] = []
        self.counts: list[tuple[int, int]] = []

    def accepted(self, accepted: Accepted) -> None:
        """Record the event."""
        self.accepted_ids.append(accepted.event.event_id)

    def ready(self, count: int, total: int) -> None:
        """Record the counts."""
        self.counts.append((count, total))


def run(
    service: GoalStream,
    matches: Sequence[Match],
    listener: Listener | None = None,
    **options: Any,
) -> Report:
    """Replay `matches` into `service`, as fast as responses come unless `options` say otherwise."""
    defaults: dict[str, Any] = {"speed": math.inf}
    return asyncio.run(
        replay(
            matches,
            Options("http://events", "http://highlights", **(defaults | options)),
            listener,
            transport=httpx.MockTransport(service),
            clock=service,
        )
    )


def test_all_172_goals_of_the_sample_become_ready() -> None:
    """Every goal is posted once, and has a highlight."""
    service = GoalStream()
    report = run(service, ALL)
    assert (len(service.posted), len(report.accepted), report.ready) == (172, 172, 172)
    assert not report.missing
    assert not report.unexpected


@pytest.mark.parametrize(
    ("key", "authorization"), [(None, None), ("a-key", "Bearer a-key"), ("clé", "Bearer clé")]
)
def test_every_request_has_the_key(key: str | None, authorization: str | None) -> None:
    """Posts and reads; without a key there is no such header."""
    service = GoalStream()
    run(service, FINAL, api_key=key)
    assert service.authorizations == {authorization}


def test_goals_of_one_match_are_posted_in_order() -> None:
    """By the match clock, however many matches run at the same time."""
    service = GoalStream()
    run(service, ALL)
    for match in ALL:
        expected = [event.event_id for event in events(match)]
        assert [e["eventId"] for _, e in service.posted if e["eventId"] in expected] == expected


def test_goals_are_posted_in_match_time_divided_by_the_speed() -> None:
    """At speed 60 the goals of the final come after as many seconds as match minutes."""
    service = GoalStream()
    run(service, FINAL, speed=60)
    assert [round(at) for at, _ in service.posted] == [23, 36, 95, 96, 129, 139]


def test_a_shuffled_replay_of_three_posts_each_makes_the_same_highlights() -> None:
    """516 posts are still 172 goals."""
    service = GoalStream()
    report = run(service, ALL, times=3, shuffle=7)
    assert len(service.posted) == 516
    assert len(service.highlights) == len(report.goals) == report.ready == 172


def test_a_listener_gets_each_acceptance_and_each_count() -> None:
    """As they happen."""
    listener = Recorder()
    run(GoalStream("PENDING_AI", "READY"), FINAL, listener)
    assert listener.accepted_ids == [event.event_id for event in events(FINAL[0])]
    assert listener.counts == [(0, 6), (6, 6)]


def test_ready_highlights_are_counted_while_goals_are_still_posted() -> None:
    """The second goal waits until the first is known to be READY, of six."""
    listener = Recorder()

    class PausedGoalStream(GoalStream):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            async with asyncio.timeout(10):
                while len(self.posted) == 1 and not listener.counts:
                    await asyncio.sleep(0.01)

    report = run(PausedGoalStream(), FINAL, listener, speed=60)
    assert (listener.counts[0], listener.counts[-1], report.ready) == ((1, 6), (6, 6), 6)


@pytest.mark.parametrize("before", [None, "PENDING_AI"])
def test_highlights_are_waited_for(before: str | None) -> None:
    """Neither an absent nor a pending highlight is missing before the wait is over."""
    assert not run(GoalStream(before, before, "READY"), FINAL).missing


def test_every_page_of_a_match_is_read() -> None:
    """Highlights beyond the first page are found by its link."""
    assert run(GoalStream(page_size=4), FINAL).ready == 6


def test_a_highlight_that_stays_pending_is_missing_after_the_wait() -> None:
    """The report names each goal with its status, and the wait is as long as requested."""
    service = GoalStream("PENDING_AI")
    report = run(service, FINAL, wait_s=5)
    assert report.missing == dict.fromkeys(events(FINAL[0]), "PENDING_AI")
    assert service.now == pytest.approx(5)


def test_a_highlight_that_failed_is_not_waited_for() -> None:
    """Nothing will make it READY, and the report says so."""
    service = GoalStream("FAILED_AI")
    assert set(run(service, FINAL).missing.values()) == {"FAILED_AI"}
    assert service.now == 0


def test_a_highlight_that_never_exists_is_reported_as_absent() -> None:
    """A lost goal differs from a pending one."""
    assert set(run(GoalStream(None), FINAL).missing.values()) == {"not there"}


def test_a_refused_goal_is_reported_and_the_others_are_posted() -> None:
    """Also those of its match."""
    service = GoalStream()
    second = events(FINAL[0])[1]
    service.refused[str(second.event_id)] = 400
    report = run(service, FINAL)
    assert report.missing == {second: "400 Bad Request: no"}
    assert report.ready == 5


def test_no_goal_is_posted_after_one_whose_retries_are_exhausted() -> None:
    """In its match; other matches go on."""
    service = GoalStream()
    goals = events(FINAL[0])
    service.refused[str(goals[1].event_id)] = 503
    report = run(service, [*FINAL, ALL[0]], patience_s=10)
    reasons = [report.missing[goal] for goal in goals[1:]]
    assert reasons == ["gave up: 503 Service Unavailable: no", *4 * ["not posted"]]
    assert report.ready == 1 + len(events(ALL[0]))


def test_a_highlight_without_a_goal_is_unexpected() -> None:
    """A goal with two highlights would show in the report."""
    service = GoalStream()
    match_id = str(events(FINAL[0])[0].match_id)
    stray = "00000000-0000-0000-0000-000000000007"
    service.highlights[stray] = {"id": stray, "matchId": match_id}
    assert run(service, FINAL).unexpected == {UUID(stray)}


def test_matches_without_goals_end_at_once() -> None:
    """There is nothing to post, and nothing is missing."""
    goalless = [match for match in ALL if not match.goals]
    service = GoalStream()
    assert not run(service, goalless).missing
    assert service.posted == []


def test_events_without_a_highlight_are_not_waited_for() -> None:
    """The kicks of a shoot-out are posted after the goals, and counted separately."""
    final = select(match_lines.read(SHOOTOUTS), ["argentina france"])
    service = GoalStream()
    report = run(service, final)
    assert len(service.posted) == 14
    assert (report.ready, report.missing, len(report.without_highlight)) == (6, {}, 8)
    assert "8 events went in that make no highlight" in list(report.lines())
