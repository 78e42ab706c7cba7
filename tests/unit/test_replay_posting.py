import asyncio
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from functions.shared.contract.event import Event
from local.replay.arguments import SAMPLE
from local.replay.feed import events
from local.replay.openfootball import read
from local.replay.posting import (
    Accepted,
    Clock,
    EventPoster,
    RefusedEventError,
    RetriesExhaustedError,
)
from local.replay.progress import Listener
from tests.support.builders.events import id_of

EVENT = events(read(SAMPLE)[-1])[0]
HIGHLIGHT = id_of(EVENT.match_id, str(EVENT.event_id))
ACCEPTED = httpx.Response(202, json={"highlightId": str(HIGHLIGHT)})
LOST = httpx.ReadError("connection lost")


class Time(Clock):
    """A clock that only `sleep` advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Return the seconds that were slept."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.now += seconds


class Service:
    """Answers each request with the next of its answers, the last one for ever."""

    def __init__(self, *responses: httpx.Response | httpx.RequestError) -> None:
        self._answers = list(responses)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.requests.append(request)
        response = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(response, httpx.RequestError):
            raise response
        return response


def post(service: Callable[[httpx.Request], httpx.Response], time: Time) -> Accepted:
    """Post EVENT with 60 s of patience."""

    async def posted() -> Accepted:
        async with httpx.AsyncClient(transport=httpx.MockTransport(service)) as http:
            slots = asyncio.Semaphore(1)
            poster = EventPoster(http, "http://feed", 60, Listener().retrying, slots, time)
            return await poster.post(EVENT)

    return asyncio.run(posted())


def test_an_event_is_posted_as_the_json_of_the_contract() -> None:
    """The body is the event, the type JSON, and the answer has the highlight's id."""
    service = Service(ACCEPTED)
    assert post(service, Time()) == Accepted(EVENT, UUID(str(HIGHLIGHT)), 0)
    (request,) = service.requests
    assert str(request.url) == "http://feed/events"
    assert request.headers["Content-Type"] == "application/json"
    assert Event.model_validate_json(request.content) == EVENT


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_or_absent_service_is_retried(status: int) -> None:
    """The event is accepted in the end."""
    service = Service(httpx.Response(status), ACCEPTED)
    assert post(service, Time()).highlight_id == HIGHLIGHT


def test_a_lost_connection_is_retried_with_growing_delays() -> None:
    """The delays double, so that a starting service is not overloaded."""
    time = Time()
    post(Service(LOST, LOST, LOST, ACCEPTED), time)
    assert time.now == pytest.approx(0.1 + 0.2 + 0.4)


def test_retry_after_is_obeyed() -> None:
    """A longer delay that the service requires is used."""
    time = Time()
    post(Service(httpx.Response(503, headers={"Retry-After": "7"}), ACCEPTED), time)
    assert time.now == 7


def test_retries_end_after_the_patience() -> None:
    """The error has the last reason, after 60 s and not later."""
    time = Time()
    with pytest.raises(RetriesExhaustedError, match="connection lost"):
        post(Service(LOST), time)
    assert 50 < time.now <= 60


def test_a_retry_after_beyond_patience_is_not_waited_for() -> None:
    """A service that requires an hour is given up at once."""
    time = Time()
    with pytest.raises(RetriesExhaustedError, match="503"):
        post(Service(httpx.Response(503, headers={"Retry-After": "3600"})), time)
    assert time.now == 0


@pytest.mark.parametrize("status", [200, 400, 401, 404, 413, 500])
def test_any_other_response_is_final(status: int) -> None:
    """It is refused after one request, with the problem's detail and fields."""
    problem = {"detail": "the event is not valid", "errors": {"minute": ["too late"]}}
    service = Service(httpx.Response(status, json=problem))
    with pytest.raises(RefusedEventError, match=rf"{status}.*not valid.*minute.*too late"):
        post(service, Time())
    assert len(service.requests) == 1


@pytest.mark.parametrize("body", ["", "[]", "null", "{}", '{"highlightId": 7}'])
def test_a_202_of_something_else_is_no_acceptance(body: str) -> None:
    """Another service listens on that port."""
    with pytest.raises(RefusedEventError, match="is this GoalStream"):
        post(Service(httpx.Response(202, text=body)), Time())
