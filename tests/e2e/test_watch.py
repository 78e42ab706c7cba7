"""`docker compose watch`, for the development of a function."""

from pathlib import Path

import httpx
import pytest

from local.stack import ROOT
from tests.support.builders.events import event_json
from tests.support.drivers.compose_watch import STARTS, watching
from tests.support.drivers.containers import FUNCTIONS, Containers
from tests.support.waiting import eventually


def test_a_saved_file_restarts_its_function_and_no_request_fails(
    containers: Containers, http: httpx.Client
) -> None:
    """Events are accepted and lists answered meanwhile; the other functions are not restarted."""
    before = {service: containers.id(service) for service in FUNCTIONS}
    answers = []

    def is_new() -> bool:
        posted = http.post(f"{containers.events_url}/events", json=event_json(eventId="saved"))
        listed = http.get(f"{containers.highlights_url}/highlights")
        answers.extend([posted.status_code, listed.status_code])
        found = containers.ids("ingest-event")
        return len(found) == 1 and found != [before["ingest-event"]] and containers.are_healthy()

    with containers.watching():
        file = ROOT / "functions/ingest_event/main.py"
        file.write_bytes(file.read_bytes())
        eventually(is_new, within_s=120)
    assert set(answers) == {202, 200}
    after = {service: containers.id(service) for service in FUNCTIONS}
    assert {service for service in FUNCTIONS if after[service] != before[service]} == {
        "ingest-event"
    }


ENDS_TWICE = """echo start >>starts
test $(wc -l <starts) -gt 2 && echo Watch enabled && exec sleep 60
echo no such folder; exit 1"""


def test_a_watch_that_ends_at_once_is_started_again(tmp_path: Path) -> None:
    """As Docker's does when a folder vanishes under its eyes."""
    starts = tmp_path / "starts"
    with watching(["sh", "-c", ENDS_TWICE.replace("starts", str(starts))], {}):
        assert starts.read_text().count("start") == STARTS


def test_a_watch_that_always_ends_fails_with_what_it_said() -> None:
    """Its last output."""
    always_ends = watching(["sh", "-c", "echo no such folder; exit 1"], {})
    with pytest.raises(AssertionError, match="it ended 3 times") as failure, always_ends:
        pass
    assert "no such folder" in failure.value.__notes__[0]
