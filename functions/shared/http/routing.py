"""What every function's HTTP face shares: routes, limits, correlation, and errors as answers."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import blake2b
from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.shared.errors import Unavailable
from functions.shared.http.direct import Handler, serve_directly
from functions.shared.http.problems import Problem, problem_of
from functions.shared.http.readiness import Readiness
from functions.shared.http.responses import Json
from functions.shared.observability import trace

Methods = Mapping[str, Handler]
Admit = Callable[[Request], None]

# What servers put before the closing quote of a tag whose answer they packed: Apache, Caddy, Jetty.
TAG_ENDS = frozenset(
    f'{mark}{coding}"' for mark in ("-", "--", ";") for coding in ("gzip", "br", "zstd", "deflate")
) | {'"'}

log = logging.getLogger(__name__)


class Routes:
    """Sends a request to its handler and turns every error into problem details.

    A path that ends in `*` stands for all that begin so. `GET /health` calls `warm_up`, so that
    whoever waits for a function to be alive finds its clients made and connecting. `GET /ready`
    says what `ready` reports of the services. `admit` is called with every other request before
    its handler, and raises the Problem that refuses it.
    """

    def __init__(
        self,
        routes: Mapping[str, Methods],
        warm_up: Callable[[], object],
        admit: Admit | None = None,
        ready: Readiness | None = None,
    ) -> None:
        if admit is not None:
            routes = {path: _guarded(methods, admit) for path, methods in routes.items()}
        self._warm_up = warm_up
        self._routes: dict[str, Methods] = {"/health": {"GET": self._health}, **routes}
        if ready is not None:
            self._routes["/ready"] = {"GET": partial(_answer_ready, ready)}
        self._prefixes = {path[:-1]: routes[path] for path in routes if path.endswith("*")}
        self._is_direct = False

    async def __call__(self, request: Request) -> Response:
        """Answer a request; whatever happens inside, the answer is well-formed."""
        if not self._is_direct:
            self._serve_directly(request)
        traceparent = trace.continue_trace(header(request, b"traceparent"))
        token = trace.current.set(traceparent)
        try:
            response = await self._handler(request)(request)
        except Exception as error:
            response = _answer_to(error)
        finally:
            trace.current.reset(token)
        correlation_id = trace.trace_id(traceparent).encode()
        response.raw_headers.append((b"x-correlation-id", correlation_id))
        return response

    def _serve_directly(self, request: Request) -> None:
        """Leave out what stands between the server and us: the first request brings its address."""
        self._is_direct = True
        if app := request.scope.get("app"):
            serve_directly(self, app)

    async def _health(self, _: Request) -> Response:
        self._warm_up()
        return Json(b'{"status":"ok"}')

    def _handler(self, request: Request) -> Handler:
        methods = self._methods(request.scope["path"])
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            allow = ", ".join(["GET", "HEAD"] if "GET" in methods else methods)
            raise Problem(405, f"{request.method} is not for this path.", headers={"Allow": allow})
        return methods[method]

    def _methods(self, path: str) -> Methods:
        if path in self._routes:
            return self._routes[path]
        for prefix, methods in self._prefixes.items():
            if path.startswith(prefix):
                return methods
        raise Problem(404, "Nothing is served at this path.")


async def _answer_ready(ready: Readiness, _: Request) -> Response:
    report = await ready.report()
    if not report.is_ready:  # not raised: it is logged where it changes, not each time it is asked
        not_ready = Unavailable(f"Not ready: {report.missing}", services=report.services)
        return problem_of(not_ready).response()
    body = {"status": "ready", "services": report.services}
    return Json(orjson.dumps(body), headers={"Cache-Control": "no-store"})


def _guarded(methods: Methods, admit: Admit) -> Methods:
    def guarded(handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            admit(request)
            return await handler(request)

        return handle

    return {method: guarded(handler) for method, handler in methods.items()}


def _answer_to(error: Exception) -> Response:
    """The answer to an error; what is not the sender's fault is logged."""
    problem = problem_of(error)
    if isinstance(error, Unavailable):
        log.warning("unavailable", extra={"fields": {"detail": problem.detail}})
    elif problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("unexpected error", exc_info=error)
    return problem.response()


def header(request: Request, name: bytes) -> str | None:
    """A header by its name in lower case.

    Starlette's own look-up takes five times as long, and every request makes several.
    """
    for key, value in request.scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return None


def header_lines(request: Request, name: bytes) -> list[bytes]:
    """All lines of a header that may come more than once, by its name in lower case."""
    return [bytes(value) for key, value in request.scope["headers"] if key == name]


def matches_etag(request: Request, etag: str) -> bool:
    """Whether the reader already holds the representation that `etag` names (RFC 9110, 13.1.2).

    Weak tags are the same tags here, and so are those to which a server that packed the answer on
    its way has added how.
    """
    lines = header_lines(request, b"if-none-match")
    if not lines:
        return False
    held = [tag.strip().removeprefix("W/") for tag in b",".join(lines).decode("latin-1").split(",")]
    if held == ["*"]:
        return True
    opened = etag[:-1]
    return any(tag.startswith(opened) and tag[len(opened) :] in TAG_ENDS for tag in held)


def etag_of(content: bytes) -> str:
    """A strong entity tag: the same bytes, the same tag, whichever process made them."""
    return f'"{blake2b(content, digest_size=12).hexdigest()}"'


def json_with_etag(
    request: Request, body: bytes, *, etag: str | None = None, link: str = ""
) -> Response:
    """200 with a JSON body, or 304 to a reader who holds it already."""
    etag = etag or etag_of(body)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if link:
        headers["Link"] = link
    if matches_etag(request, etag):
        return Response(status_code=304, headers=headers)
    return Json(body, headers=headers)
