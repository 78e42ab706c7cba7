"""`docker compose watch`, for the development of a function."""

import httpx

from local.stack import ROOT
from tests.support.builders.events import event_json
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
