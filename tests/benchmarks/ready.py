"""From the 202 to a READY highlight that a reader gets, at a steady 200 goals a second."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from statistics import quantiles
from urllib.parse import urlsplit
from uuid import uuid4

from local.embedded.stack import Stack
from tests.benchmarks.result import Result
from tests.events import FIRST_GOAL

GOALS_PER_S = 200
GOALS = 3_000
FOLLOWED = 5
CLIENTS = 32
POLL_S = 0.003
LIMIT_S = 30
MEDIAN_AIM_MS = 12
P99_AIM_MS = 50


def accepted_to_ready(stack: Stack, _rounds: int) -> Iterator[Result]:
    """Milliseconds from the answer to the POST until who asks for the highlight gets it READY."""
    percentiles = quantiles(_delays(stack), n=100)
    what = f"accepted → READY, {GOALS_PER_S} goals/s"
    for name, delay_s, aim in (
        ("median", percentiles[49], MEDIAN_AIM_MS),
        ("99th percentile", percentiles[98], P99_AIM_MS),
    ):
        figure = delay_s * 1000
        yield Result(what, name, "", f"{figure:.0f} ms", f"≤ {aim} ms", figure <= aim)


def _delays(stack: Stack) -> list[float]:
    """The delays of every fifth goal: to ask for all would be a load of its own."""
    clients = _Clients(stack)
    began = time.perf_counter()
    goals = []
    with ThreadPoolExecutor(CLIENTS) as pool:
        for number in range(GOALS):
            time.sleep(max(0.0, began + number / GOALS_PER_S - time.perf_counter()))
            goals.append(pool.submit(clients.goal, follow=number % FOLLOWED == 0))
    return [delay for goal in goals if (delay := goal.result()) is not None]


class _Clients:
    """A connection to each port for each thread: lighter than any client with more to offer."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._of_thread = threading.local()

    def goal(self, *, follow: bool) -> float | None:
        """Post a goal; if it is followed, ask for its highlight until it is READY."""
        goal = json.dumps({**FIRST_GOAL, "matchId": str(uuid4())})
        headers = {"Content-Type": "application/json"}
        answer = self._ask(self._stack.events_url, "POST", "/events", goal, headers)
        accepted = time.perf_counter()
        while follow:
            path = f"/highlights/{answer['highlightId']}"
            highlight = self._ask(self._stack.highlights_url, "GET", path)
            seen = time.perf_counter()
            if highlight.get("status") == "READY":
                return seen - accepted
            if seen - accepted > LIMIT_S:
                raise TimeoutError(f"{path} did not become READY in {LIMIT_S} s")
            time.sleep(POLL_S)
        return None

    def _ask(self, url: str, *request: object) -> dict[str, object]:
        connections = self._of_thread.__dict__
        if url not in connections:
            connections[url] = HTTPConnection(urlsplit(url).netloc, timeout=LIMIT_S)
        connections[url].request(*request)
        answer: dict[str, object] = json.loads(connections[url].getresponse().read())
        return answer
