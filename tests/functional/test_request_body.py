"""The encodings of a request body that ingest-event accepts, and those that it refuses."""

import gzip
import json
import tracemalloc
import zlib

import httpx
import pytest

from functions.ingest_event.app import BATCH_LIMIT, EVENT_LIMIT, build_app
from functions.shared.http.request_body import MAX_MEMBERS
from tests.support.builders.events import event_json
from tests.support.builders.revisions import RULES
from tests.support.drivers.asgi import Client
from tests.support.fakes.services import FakePublisher

JSON = {"Content-Type": "application/json"}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
EVENT = json.dumps(event_json(player="Ángel Di María")).encode()
PATHS = {"/events": EVENT, "/events/batch": b"[" + EVENT + b"]"}
EMPTY = gzip.compress(b"")

each_path = pytest.mark.parametrize("path", PATHS)


@pytest.fixture(name="broker")
def _broker() -> FakePublisher:
    return FakePublisher()


@pytest.fixture(name="client")
def _client(broker: FakePublisher) -> Client:
    return Client(build_app(lambda: broker, RULES))


def post(client: Client, path: str, body: bytes, *codings: str) -> httpx.Response:
    """Return the response to a body with these lines of Content-Encoding."""
    headers = [*JSON.items(), *(("Content-Encoding", coding) for coding in codings)]
    return client.post(path, content=body, headers=headers)


def reason(response: httpx.Response) -> str:
    """Return the reason of a 400 for the body."""
    assert response.status_code == 400
    (text,) = response.json()["errors"]["body"]
    return str(text)


@each_path
@pytest.mark.parametrize("coding", ["", "gzip", "GZip", "x-gzip", "identity", "identity, gzip"])
@pytest.mark.parametrize("mark", [b"", BYTE_ORDER_MARK])
def test_a_body_may_be_gzipped_and_begin_with_a_byte_order_mark(
    path: str, coding: str, mark: bytes, client: Client, broker: FakePublisher
) -> None:
    """Either, or both."""
    body = mark + PATHS[path]
    packed = gzip.compress(body) if "gzip" in coding.lower() else body
    response = post(client, path, packed, *([coding] if coding else []))
    assert response.status_code == 202
    assert json.loads(broker.published[0].value)["player"] == "Ángel Di María"


@each_path
@pytest.mark.parametrize("utf_16", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_with_its_name(path: str, utf_16: str, client: Client) -> None:
    """It begins with a byte order mark too, but JSON must not be UTF-16."""
    body = "\ufeff".encode(utf_16) + PATHS[path].decode().encode(utf_16)
    assert reason(post(client, path, body)) == "is UTF-16; JSON is sent as UTF-8"


def test_several_gzip_members_are_one_body(client: Client) -> None:
    """The standard allows it, and programs that compress in parallel send it."""
    at = len(EVENT) // 2
    packed = gzip.compress(EVENT[:at]) + gzip.compress(EVENT[at:]) + EMPTY
    assert post(client, "/events", packed, "gzip").status_code == 202


@each_path
@pytest.mark.parametrize(
    "codings", [["br"], ["deflate"], ["zstd"], ["gzip, gzip"], ["gzip", "br"], ["gzip;q=1"], ["é"]]
)
def test_another_content_coding_is_a_415_with_the_accepted_ones(
    path: str, codings: list[str], client: Client, broker: FakePublisher
) -> None:
    """In the header that RFC 9110 has for it, and in words."""
    headers = [(b"content-type", b"application/json")]
    headers += [(b"content-encoding", coding.encode()) for coding in codings]
    response = client.post(path, content=zlib.compress(PATHS[path]), headers=headers)
    assert response.status_code == 415
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["accept-encoding"] == "gzip, identity"
    assert "Content-Encoding: gzip" in response.json()["detail"]
    assert broker.published == []


@each_path
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "ends before"),
        (EVENT, "is not gzip"),
        (zlib.compress(EVENT), "is not gzip"),
        (gzip.compress(EVENT)[:-1], "ends before"),
        (gzip.compress(EVENT)[:-9], "ends before"),
        (gzip.compress(EVENT)[:-8] + b"\0" * 8, "is not gzip"),
        (gzip.compress(EVENT) + b"\0", "ends before"),
        (gzip.compress(EVENT) + b"more", "is not gzip"),
        (EMPTY * (MAX_MEMBERS + 1), f"up to {MAX_MEMBERS}"),
    ],
    ids=range(9),
)
def test_invalid_gzip_is_a_400(
    path: str, body: bytes, expected: str, client: Client, broker: FakePublisher
) -> None:
    """Such as a body that was cut off, or changed on its way."""
    assert expected in reason(post(client, path, body, "gzip"))
    assert broker.published == []


@pytest.mark.parametrize(
    ("path", "limit"), [("/events", EVENT_LIMIT), ("/events/batch", BATCH_LIMIT)]
)
def test_the_limits_apply_to_the_decompressed_body(path: str, limit: int, client: Client) -> None:
    """To the byte."""
    body = PATHS[path] + b" " * (limit - len(PATHS[path]))
    assert post(client, path, gzip.compress(body), "gzip").status_code == 202
    assert post(client, path, gzip.compress(body + b" "), "gzip").status_code == 413


@pytest.mark.parametrize(
    "bomb",
    [
        gzip.compress(bytes(32 * 1024 * 1024)),
        gzip.compress(bytes(1024 * 1024)) * 64,
        EMPTY * (EVENT_LIMIT // len(EMPTY)),
    ],
    ids=["one", "many", "empty"],
)
def test_a_gzip_bomb_is_refused_before_it_is_decompressed(bomb: bytes, client: Client) -> None:
    """No more than the limit of it is ever in memory."""
    limit = next(limit for limit in (EVENT_LIMIT, BATCH_LIMIT) if len(bomb) <= limit)
    path = "/events" if limit == EVENT_LIMIT else "/events/batch"
    post(client, path, b"")
    tracemalloc.start()
    try:
        response = post(client, path, bomb, "gzip")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert response.status_code in (400, 413)
    assert peak < 4 * limit + 1024 * 1024
