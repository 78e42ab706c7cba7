"""From the 202 to a READY highlight that a reader sees, at a steady 100 goals a second."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from urllib.parse import quote
from uuid import uuid4

import httpx

from infra.openapi.documents import EXAMPLE
from local.embedded.stack import Stack
from tests.benchmarks.result import Result

GOALS_PER_S = 100
GOALS = 1_500
POLL_S = 0.002
LIMIT_S = 30
OVERLAP = timedelta(seconds=1)
MEDIAN_AIM_MS = 25
P99_AIM_MS = 150


def accepted_to_ready(stack: Stack, _rounds: int) -> Iterator[Result]:
    """Milliseconds from the answer to the POST until a list that is asked for shows it READY."""
    delays = asyncio.run(_delays(stack))
    percentiles = quantiles(delays, n=100)
    median, p99 = percentiles[49] * 1000, percentiles[98] * 1000
    what = f"accepted → READY, {GOALS_PER_S} goals/s"
    yield Result(what, "median", "", f"{median:.0f} ms", f"≤ {MEDIAN_AIM_MS} ms", median <= 25)
    yield Result(what, "99th percentile", "", f"{p99:.0f} ms", f"≤ {P99_AIM_MS} ms", p99 <= 150)


async def _delays(stack: Stack) -> list[float]:
    accepted: dict[str, float] = {}
    ready: dict[str, float] = {}
    async with httpx.AsyncClient(timeout=LIMIT_S) as http:
        reader = asyncio.create_task(_read(http, stack.highlights_url, ready))
        began = time.perf_counter()
        posts = []
        for number in range(GOALS):
            await asyncio.sleep(max(0.0, began + number / GOALS_PER_S - time.perf_counter()))
            posts.append(asyncio.create_task(_post(http, stack.events_url, accepted)))
        await asyncio.gather(*posts)
        deadline = time.perf_counter() + LIMIT_S
        while len(ready.keys() & accepted.keys()) < GOALS and time.perf_counter() < deadline:
            await asyncio.sleep(POLL_S)
        reader.cancel()
    if missing := GOALS - len(ready.keys() & accepted.keys()):
        raise TimeoutError(f"{missing} of {GOALS} goals did not become READY in {LIMIT_S} s")
    return [ready[highlight] - moment for highlight, moment in accepted.items()]


async def _post(http: httpx.AsyncClient, url: str, accepted: dict[str, float]) -> None:
    answer = await http.post(f"{url}/events", json={**EXAMPLE, "matchId": str(uuid4())})
    accepted[answer.raise_for_status().json()["highlightId"]] = time.perf_counter()


async def _read(http: httpx.AsyncClient, url: str, ready: dict[str, float]) -> None:
    """Ask again and again for what became READY lately; overlaps, since commits overtake."""
    while True:
        since = quote((datetime.now(UTC) - OVERLAP).isoformat())
        page = f"/highlights?status=READY&pageSize=100&updatedSince={since}"
        while page:
            answer = await http.get(f"{url}{page}")
            seen = time.perf_counter()
            for highlight in answer.raise_for_status().json():
                ready.setdefault(highlight["id"], seen)
            page = answer.links.get("next", {}).get("url", "")
        await asyncio.sleep(POLL_S)
