"""From the 202 to a READY highlight, at a steady 200 goals a second."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http.client import HTTPConnection
from statistics import quantiles
from urllib.parse import urlsplit
from uuid import uuid4

from local.stack.stack import Stack
from tests.benchmarks.result import Result
from tests.support.builders.events import FIRST_GOAL

GOALS_PER_S = 200
GOALS = 3_000
CLIENTS = 16
POLL_S = 0.1
LIMIT_S = 30
MEDIAN_AIM_MS = 12
P99_AIM_MS = 50


def accepted_to_ready(stack: Stack, _rounds: int) -> Iterator[Result]:
    """Milliseconds from the answer to the POST until the highlight is written as READY.

    That is its `updatedAt`, by the clock of the same machine: who polled for it meanwhile would
    measure the polling.
    """
    percentiles = quantiles(_delays(stack), n=100)
    what = f"accepted → READY, {GOALS_PER_S} goals/s"
    for name, delay_s, aim in (
        ("median", percentiles[49], MEDIAN_AIM_MS),
        ("99th percentile", percentiles[98], P99_AIM_MS),
    ):
        figure = delay_s * 1000
        yield Result(what, name, "", f"{figure:.0f} ms", f"≤ {aim} ms", figure <= aim)


def _delays(stack: Stack) -> list[float]:
    clients = _Clients(stack)
    began = time.perf_counter()
    posts = []
    with ThreadPoolExecutor(CLIENTS) as pool:
        for number in range(GOALS):
            time.sleep(max(0.0, began + number / GOALS_PER_S - time.perf_counter()))
            posts.append(pool.submit(clients.post))
        goals = [post.result() for post in posts]
        readies = pool.map(clients.ready_at, [goal for goal, _ in goals])
        return [ready - accepted for (_, accepted), ready in zip(goals, readies, strict=True)]


class _Clients:
    """One connection to each port for each thread, with less overhead than a full client."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._of_thread = threading.local()

    def post(self) -> tuple[str, float]:
        """Post a goal; return its highlight's id, and when it was accepted."""
        goal = json.dumps({**FIRST_GOAL, "matchId": str(uuid4())})
        headers = {"Content-Type": "application/json"}
        answer = self._ask(self._stack.events_url, "POST", "/events", goal, headers)
        return str(answer["highlightId"]), time.time()

    def ready_at(self, highlight_id: str) -> float:
        """Return when a highlight became READY."""
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            path = f"/highlights/{highlight_id}"
            highlight = self._ask(self._stack.highlights_url, "GET", path)
            if highlight.get("status") == "READY":
                return datetime.fromisoformat(str(highlight["updatedAt"])).timestamp()
            time.sleep(POLL_S)
        raise TimeoutError(f"{path} did not become READY in {LIMIT_S} s")

    def _ask(self, url: str, *request: object) -> dict[str, object]:
        connections = self._of_thread.__dict__
        if url not in connections:
            connections[url] = HTTPConnection(urlsplit(url).netloc, timeout=LIMIT_S)
        connections[url].request(*request)
        answer: dict[str, object] = json.loads(connections[url].getresponse().read())
        return answer
