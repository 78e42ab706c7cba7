"""An endpoint that writes the texts, with docker-compose.enricher.yml."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.builders.events import event_json
from tests.support.drivers.containers import Containers, new_secrets
from tests.support.waiting import eventually

FILE = "docker-compose.enricher.yml"
WRITER = """
import json
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = asked["player"] + " scores"
        welcome = self.headers["X-Api-Key"] == KEY
        body = json.dumps({"success": welcome, "title": text, "summary": text + "."}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("", 8000), Handler).serve_forever()
"""


@pytest.fixture
def written(containers: Containers, tmp_path: Path) -> Iterator[Containers]:
    """The containers, whose enrich-batch asks an endpoint in a container on its own network."""
    settings = new_secrets(tmp_path, "enricher_key")
    key = (tmp_path / "enricher_key").read_text("utf-8")
    enricher = {"ENRICHER": "http", "ENRICHER_URL": "http://writer:8000/", **settings}
    added = Containers(containers.name, {**containers.settings, **enricher}, FILE)
    image = containers.image("enrich-batch")
    try:
        added.up("--no-deps", "enrich-batch")
        added.docker(
            "run", "--detach", "--rm", "--name", f"{added.name}-writer", "--network-alias",
            "writer", "--network", f"{added.name}_enricher", image,
            "python", "-c", f"KEY = {key!r}{WRITER}",
        )  # fmt: skip
        yield added
    finally:
        added.docker("rm", "--force", f"{added.name}-writer")
        containers.up("--no-deps", "enrich-batch")
        added.docker("network", "rm", "--force", f"{added.name}_enricher")


def test_a_service_outside_writes_the_text(written: Containers, http: httpx.Client) -> None:
    """With the key from a file, and a title that the guard takes."""
    posted = http.post(f"{written.events_url}/events", json=event_json(player="Messi"))
    assert posted.status_code == 202, posted.text
    url = written.highlights_url + posted.headers["location"]
    eventually(lambda: http.get(url).is_success and http.get(url).json()["enrichedBy"] == "http")
    assert http.get(url).json()["title"] == "Messi scores"
