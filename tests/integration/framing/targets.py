"""The servers under test: the gateway's two ports, and each function's port."""

from dataclasses import dataclass
from typing import Any

KEY = "a-key-of-the-framing-tests"


@dataclass(frozen=True)
class Early:
    """A request that is answered before its body has been read."""

    method: bytes
    path: bytes
    status: tuple[int, ...]
    content_type: bytes = b"application/json"
    key: bool = True


@dataclass(frozen=True)
class Target:
    """A server, and the request from which its inputs are built.

    `reads`: that request, with `body`, is answered after its body has been read to the end.
    """

    name: str
    port: int
    method: bytes
    path: bytes
    body: bytes
    reads: bool = True
    early: tuple[Early, ...] = ()
    limit: int = 0
    is_gateway: bool = False

    def headers(
        self, marker: str, content_type: bytes = b"application/json", *, key: bool = True
    ) -> list[bytes]:
        """Return the header lines of a request that do not concern its framing."""
        trace = b"traceparent: 00-%s-0000000000000001-01" % marker.encode()
        lines = [b"Host: x", b"Content-Type: " + content_type, trace]
        return [*lines, b"X-Api-Key: " + KEY.encode()] if key else lines


EVENTS = (
    Early(b"POST", b"/events", (401,), key=False),
    Early(b"POST", b"/events", (415,), content_type=b"text/plain"),
    Early(b"POST", b"/nowhere", (404,)),
    Early(b"PUT", b"/events", (405,)),
    Early(b"TRACE", b"/events", (405,)),
    Early(b"GET", b"/health", (200,)),
)
LIST = (
    Early(b"GET", b"/highlights", (401, 429), key=False),
    Early(b"POST", b"/highlights", (405,)),
    Early(b"GET", b"/health", (200,)),
    Early(b"GET", b"/nowhere", (404,)),
)
GET = (
    Early(b"GET", b"/highlights/x", (401,), key=False),
    Early(b"DELETE", b"/highlights/x", (405,)),
)
STREAM = (
    Early(b"GET", b"/highlights/stream", (401, 429), key=False),
    Early(b"DELETE", b"/highlights/stream", (405,)),
)
WORK = (Early(b"GET", b"/", (405,)), Early(b"POST", b"/nowhere", (404,)))
PAGES = (Early(b"POST", b"/swagger", (405,)), Early(b"GET", b"/openapi.json", (200,)))
EVENT_LIMIT = 65536


def targets(events: int, highlights: int, functions: dict[str, int], event: bytes) -> list[Target]:
    """Return all servers, by their ports; `event` is a body that is accepted."""
    post, get = b"POST", b"GET"

    def reads(name: str, port: int, path: bytes, **more: Any) -> Target:
        return Target(name, port, post, path, event, **more)

    def ignores(name: str, port: int, path: bytes, **more: Any) -> Target:
        return Target(name, port, get, path, event, reads=False, **more)

    return [
        reads(
            "gateway-events", events, b"/events",
            early=(*EVENTS, *PAGES), limit=EVENT_LIMIT, is_gateway=True,
        ),
        ignores(
            "gateway-highlights", highlights, b"/highlights",
            early=(*LIST, *GET, *PAGES, Early(b"GET", b"/highlights/stream", (413,))),
            is_gateway=True,
        ),
        reads(
            "ingest_event", functions["ingest_event"], b"/events", early=EVENTS, limit=EVENT_LIMIT
        ),
        reads("consume_goal", functions["consume_goal"], b"/", early=WORK),
        reads("enrich_batch", functions["enrich_batch"], b"/", early=WORK),
        ignores("list_highlights", functions["list_highlights"], b"/highlights", early=LIST),
        ignores("get_highlight", functions["get_highlight"], b"/highlights/x", early=GET),
        ignores(
            "stream_highlights", functions["stream_highlights"], b"/highlights/stream", early=STREAM
        ),
    ]  # fmt: skip
