"""The trigger's authentication at a platform, with a metadata server that issues tokens."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from local.kafka_trigger.delivering.google_identity import IdentityTokens
from local.kafka_trigger.delivering.transport import HttpTransport, Unreachable
from local.kafka_trigger.envelopes.payload import Payload
from tests.support.servers.function_server import FunctionServer, Reply, Request

PAYLOAD = Payload("application/json", b"{}")
AUDIENCE = "https://consume-goal-1.run.app"


class Metadata:
    """Google's metadata server: a token for each correct request, or an error."""

    def __init__(self) -> None:
        self.status = 200
        self.given: list[str] = []

    def token(self, audience: str) -> str:
        """A unique token that is valid for an hour."""
        claims = {"aud": audience, "exp": time.time() + 3600, "n": len(self.given)}
        body = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        self.given.append(f"e30.{body}.x")
        return self.given[-1]


@contextmanager
def metadata_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Metadata]:
    """Serve at GCE_METADATA_HOST."""
    metadata = Metadata()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            known = parts.path == "/computeMetadata/v1/instance/service-accounts/default/identity"
            asks_well = known and self.headers["Metadata-Flavor"] == "Google"
            self.send_response(metadata.status if asks_well else 403)
            self.end_headers()
            if asks_well:
                self.wfile.write(metadata.token(parse_qs(parts.query)["audience"][0]).encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield metadata
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(name="metadata")
def _metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[Metadata]:
    """A metadata server."""
    with metadata_server(monkeypatch) as metadata:
        yield metadata


def test_each_request_is_authenticated(metadata: Metadata) -> None:
    """With one token for many, whose audience is the function."""
    with (
        FunctionServer() as function,
        closing(HttpTransport(function.url, 10, IdentityTokens(AUDIENCE))) as transport,
    ):
        for _ in range(3):
            transport.post(PAYLOAD)
        sent = [request.headers["Authorization"] for request in function.requests]
    assert sent == [f"Bearer {metadata.given[0]}"] * 3
    assert len(metadata.given) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_rejected_identity_makes_no_dead_letters(metadata: Metadata, status: int) -> None:
    """The records wait, as for an unavailable function.

    The next attempt has a new token, and is accepted once the role is granted.
    """

    def guard(request: Request) -> Reply:
        granted = request.headers["Authorization"] == f"Bearer {metadata.given[-1]}"
        return Reply(200 if granted and len(metadata.given) > 1 else status)

    with (
        FunctionServer(guard) as function,
        closing(HttpTransport(function.url, 10, IdentityTokens(AUDIENCE))) as transport,
    ):
        with pytest.raises(Unreachable, match=f"HTTP {status}"):
            transport.post(PAYLOAD)
        assert transport.post(PAYLOAD).status == 200


def test_without_tokens_a_401_is_the_function_s_own() -> None:
    """It is classified as any other."""
    with (
        FunctionServer(lambda _: Reply(403)) as function,
        closing(HttpTransport(function.url, 10)) as transport,
    ):
        assert transport.post(PAYLOAD).status == 403
        assert "Authorization" not in function.requests[0].headers


def test_without_a_token_nothing_is_sent(
    metadata: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the metadata server returns an error or does not exist."""
    with (
        FunctionServer() as function,
        closing(HttpTransport(function.url, 10, IdentityTokens(AUDIENCE))) as transport,
    ):
        metadata.status = 404
        with pytest.raises(Unreachable, match=r"no identity token from .*HTTP 404"):
            transport.post(PAYLOAD)
        monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:1")
        with pytest.raises(Unreachable, match=r"no identity token from 127\.0\.0\.1:1: "):
            transport.post(PAYLOAD)
        assert function.requests == []
