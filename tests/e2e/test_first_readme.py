"""The five steps in the README of the first GoalStream."""

import json

import httpx

from tests.support.drivers.containers import Containers
from tests.support.waiting import eventually

EXAMPLE = (
    '{"matchId": "00000000-0000-0000-0000-000000000001", "occurredAt": "2025-12-08T20:16:00Z",'
    ' "eventType": "goal", "team": "home", "player": "John Doe",'
    ' "description": "Curled it into the top corner from outside the box."}'
)
MATCH = json.loads(EXAMPLE)["matchId"]


def test_an_event_becomes_a_highlight_and_its_page_comes_from_redis(
    containers: Containers, http: httpx.Client
) -> None:
    """Post it, list it, get it, list its match twice; the second list is a cache hit."""
    posted = http.post(
        f"{containers.events_url}/events",
        content=EXAMPLE,
        headers={"Content-Type": "application/json"},
    )
    assert posted.status_code == 202

    url = f"{containers.highlights_url}/highlights"
    eventually(lambda: [each["status"] for each in http.get(url).json()] == ["READY"])
    (listed,) = http.get(url).json()
    assert listed["title"] == "Home GOAL by John Doe"

    highlight = http.get(f"{url}/{posted.json()['highlightId']}")
    assert highlight.json() == listed

    page = f"{url}?matchId={MATCH}&page=1&pageSize=10"
    first, hits = http.get(page), _hits(containers)
    second = http.get(page)
    assert first.json() == second.json() == [listed]
    assert _hits(containers) > hits


def _hits(containers: Containers) -> int:
    """Return Redis' count of keyspace hits."""
    health = ("--no-auth-warning", "--user", "health", "--pass", "none")
    stats = containers.run_in("redis", "redis-cli", *health, "info", "stats")
    return int(stats.partition("keyspace_hits:")[2].split()[0])
