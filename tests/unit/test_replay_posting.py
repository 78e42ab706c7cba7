import asyncio
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from functions.shared.contract.event import Event
from local.replay.arguments import SAMPLE
from local.replay.feed import events
from local.replay.openfootball import read
from local.replay.posting import Accepted, Feed, GaveUpError, RefusedError
from tests.support.builders.events import id_of

EVENT = events(read(SAMPLE)[-1])[0]
HIGHLIGHT = id_of(EVENT.match_id, str(EVENT.event_id))
ACCEPTED = httpx.Response(202, json={"highlightId": str(HIGHLIGHT)})
LOST = httpx.ReadError("connection lost")


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        """Return the seconds that were slept."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.now += seconds


class Service:
    """Answers each request with the next of its answers, the last one for ever."""

    def __init__(self, *answers: httpx.Response | httpx.RequestError) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, httpx.RequestError):
            raise answer
        return answer


def post(service: Callable[[httpx.Request], httpx.Response], time: Time) -> Accepted:
    """Post EVENT with 60 s of patience."""

    async def posted() -> Accepted:
        async with httpx.AsyncClient(transport=httpx.MockTransport(service)) as http:
            slots = asyncio.Semaphore(1)
            feed = Feed(http, "http://feed", 60, _unheard, slots, time.clock, time.sleep)
            return await feed.post(EVENT)

    return asyncio.run(posted())


def _unheard(event: Event, why: str, delay: float) -> None:
    """Hear nothing of retries."""


def test_an_event_is_posted_as_the_json_of_the_contract() -> None:
    """The body is the event, the type JSON, and the answer has the highlight's id."""
    service = Service(ACCEPTED)
    assert post(service, Time()) == Accepted(EVENT, UUID(str(HIGHLIGHT)), 0)
    (request,) = service.requests
    assert str(request.url) == "http://feed/events"
    assert request.headers["Content-Type"] == "application/json"
    assert Event.model_validate_json(request.content) == EVENT


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_or_absent_service_is_tried_again(status: int) -> None:
    """These answers pass, so that the event goes in when they have."""
    service = Service(httpx.Response(status), ACCEPTED)
    assert post(service, Time()).highlight_id == HIGHLIGHT


def test_a_lost_connection_is_tried_again_with_growing_pauses() -> None:
    """The pauses double, so that a service that starts is not hammered."""
    time = Time()
    post(Service(LOST, LOST, LOST, ACCEPTED), time)
    assert time.now == pytest.approx(0.1 + 0.2 + 0.4)


def test_retry_after_is_obeyed() -> None:
    """The service knows best when to come again."""
    time = Time()
    post(Service(httpx.Response(503, headers={"Retry-After": "7"}), ACCEPTED), time)
    assert time.now == 7


def test_patience_has_an_end() -> None:
    """The last reason is said once the patience of 60 s is over, and not later."""
    time = Time()
    with pytest.raises(GaveUpError, match="connection lost"):
        post(Service(LOST), time)
    assert 50 < time.now <= 60


def test_a_retry_after_beyond_patience_is_not_waited_for() -> None:
    """A service that asks for an hour is given up at once."""
    time = Time()
    with pytest.raises(GaveUpError, match="503"):
        post(Service(httpx.Response(503, headers={"Retry-After": "3600"})), time)
    assert time.now == 0


@pytest.mark.parametrize("status", [200, 400, 401, 404, 413, 500])
def test_any_other_answer_is_final(status: int) -> None:
    """It is refused after one request, with the problem's detail and fields."""
    problem = {"detail": "the event is not valid", "errors": {"minute": ["too late"]}}
    service = Service(httpx.Response(status, json=problem))
    with pytest.raises(RefusedError, match=rf"{status}.*not valid.*minute.*too late"):
        post(service, Time())
    assert len(service.requests) == 1


@pytest.mark.parametrize("body", ["", "[]", "null", "{}", '{"highlightId": 7}'])
def test_a_202_of_something_else_is_no_acceptance(body: str) -> None:
    """Another service at that port is named as such."""
    with pytest.raises(RefusedError, match="is this GoalStream"):
        post(Service(httpx.Response(202, text=body)), Time())
