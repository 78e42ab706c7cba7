"""Containers are killed and stopped, and services hang, while a tournament is replayed."""

import httpx
import pytest

from tests.support.builders.events import event_json
from tests.support.drivers.containers import FUNCTIONS, LASTING, SERVICES, TOOLS, Containers
from tests.support.tournament import GOALS_OF_2022, replay_with_fault
from tests.support.waiting import eventually

SPEED = 1500  # the matches take 4 seconds, so that a fault falls into their midst
TOGETHER = (FUNCTIONS, TOOLS, *((service,) for service in SERVICES))
DEADLINE_S = 5  # within which ingest-event answers
MORE_S = 0.1  # what a reader may wait longer while Redis hangs


@pytest.mark.parametrize("services", TOGETHER, ids=" ".join)
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_container_that_ends_loses_and_duplicates_nothing(
    containers: Containers, how: str, services: tuple[str, ...]
) -> None:
    """Killed, or stopped with status 0, during the matches: 172 highlights, each READY, each once.

    Functions and tools one after the other, while the matches take as much longer.
    """

    def inject() -> None:
        for service in services:
            getattr(containers, how)(service)

    report = replay_with_fault(containers, inject, speed=SPEED * 2 / (len(services) + 1))
    assert (report.missing, report.unexpected) == ({}, set())
    assert containers.statuses() == {"READY": GOALS_OF_2022}


def test_all_containers_may_be_stopped_at_once(containers: Containers) -> None:
    """All containers end with status 0, none is killed, and nothing is lost or duplicated."""

    def stop_and_start() -> None:
        containers.compose("stop")
        statuses = {service: containers.state(service)["ExitCode"] for service in LASTING}
        containers.up("--no-recreate")
        assert statuses == dict.fromkeys(LASTING, 0)

    report = replay_with_fault(containers, stop_and_start, speed=SPEED, patience_s=180)
    assert (report.missing, report.unexpected) == ({}, set())
    assert containers.statuses() == {"READY": GOALS_OF_2022}


def test_while_redis_hangs_reads_are_right_and_nearly_as_fast(
    containers: Containers, http: httpx.Client
) -> None:
    """Each list of a match is unchanged, and at most 100 ms slower."""
    event = event_json(eventId="cached")
    query = {"matchId": event["matchId"]}
    url = f"{containers.highlights_url}/highlights"
    http.post(f"{containers.events_url}/events", json=event)
    eventually(lambda: containers.statuses() == {"READY": 1})
    before = [http.get(url, params=query) for _ in range(20)]
    with containers.paused("redis"):
        during = [http.get(url, params=query) for _ in range(20)]
    assert [answer.json() for answer in during] == [before[0].json()] * 20
    limit = max(answer.elapsed.total_seconds() for answer in before) + MORE_S
    late = [answer for answer in during if answer.elapsed.total_seconds() > limit]
    assert len(late) <= 1  # a busy machine


def test_while_postgres_hangs_reads_are_503_and_events_are_accepted(
    containers: Containers, http: httpx.Client
) -> None:
    """Reads are a 503 in bounded time; events that are posted meanwhile arrive afterwards."""
    with containers.paused("postgres"):
        read = http.get(f"{containers.highlights_url}/highlights")
        posted = http.post(f"{containers.events_url}/events", json=event_json(eventId="meanwhile"))
    assert (read.status_code, read.headers["content-type"]) == (503, "application/problem+json")
    assert int(read.headers["retry-after"]) > 0
    assert read.elapsed.total_seconds() < DEADLINE_S + 2
    assert posted.status_code == 202
    assert posted.elapsed.total_seconds() < 2
    highlight = containers.highlights_url + posted.headers["location"]
    eventually(lambda: http.get(highlight).is_success)


def test_while_kafka_hangs_events_are_503_in_time_and_reads_work(
    containers: Containers, http: httpx.Client
) -> None:
    """A 503 by the deadline, never a 202; they are accepted once Kafka is back."""
    event = event_json(eventId="unheard")
    with containers.paused("kafka"):
        posted = http.post(f"{containers.events_url}/events", json=event)
        read = http.get(f"{containers.highlights_url}/highlights")
    assert (posted.status_code, posted.json()["topic"]) == (503, "match-events")
    assert int(posted.headers["retry-after"]) > 0
    assert posted.elapsed.total_seconds() < DEADLINE_S + 2
    assert read.status_code == 200
    assert read.elapsed.total_seconds() < 1
    events = f"{containers.events_url}/events"
    eventually(lambda: http.post(events, json=event).status_code == 202)
    eventually(lambda: containers.statuses() == {"READY": 1})


def test_a_process_that_ends_is_started_again(containers: Containers) -> None:
    """The restart policy restarts a process that crashes."""
    before = containers.state("get-highlight")["StartedAt"]
    containers.run_in(
        "get-highlight", "python", "-c", "import os, signal; os.kill(1, signal.SIGTERM)"
    )
    eventually(lambda: containers.state("get-highlight")["StartedAt"] != before, within_s=60)
    containers.up("--no-recreate", "get-highlight")


def test_a_full_disk_under_postgres_loses_nothing(containers: Containers) -> None:
    """Events are accepted while it is full, and become highlights once there is space."""
    small = Containers(containers.name, containers.settings, "tests/e2e/small_disk.yml")
    try:
        small.up("postgres")
        small.compose("run", "--rm", "migrations")
        small.run_in("postgres", "sh", "-c", "cat /dev/zero >$PGDATA/fill || true")

        def make_room() -> None:
            assert containers.statuses() == {}
            small.run_in("postgres", "sh", "-c", "rm $PGDATA/fill")

        report = replay_with_fault(containers, make_room, speed=SPEED)
        assert (report.missing, report.unexpected) == ({}, set())
        assert containers.statuses() == {"READY": GOALS_OF_2022}
    finally:
        containers.up("postgres")
