"""Routing of a function's requests, with trace context, and errors as responses."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.shared.errors import Unavailable
from functions.shared.http.cache_control import ASK_EACH_TIME
from functions.shared.http.cors import Cors
from functions.shared.http.framework_bypass import Handler, bypass_framework
from functions.shared.http.headers import header
from functions.shared.http.problems import Problem, problem_of
from functions.shared.http.readiness import Readiness
from functions.shared.http.responses import json_response
from functions.shared.observability import trace

Methods = Mapping[str, Handler]
# Returns headers for the answer, or raises the Problem that refuses the request.
Admission = Callable[[Request], Mapping[str, str]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may use a function: callers, pages of other origins, and caches.

    `admit` is asked about each request before its handler, but not about OPTIONS, which browsers
    send without a key. `cache_control` is that of answers to GET that do not have their own.
    """

    admit: Admission | None = None
    cors: Cors | None = None
    cache_control: str = ASK_EACH_TIME


OPEN = Guard()


class Router:
    """Calls the handler of a request's path and method, and makes problem details of every error.

    `routes` maps paths to methods to handlers; a path that ends in `*` matches all that begin so.
    `GET /health` calls `warm_up`, so that a function whose health was checked has made its clients.
    `GET /ready` answers with what `readiness` finds. `guard` guards the routes; of these two paths
    and of errors it allows pages to read the answers, and no more.
    """

    def __init__(
        self,
        routes: Mapping[str, Methods],
        warm_up: Callable[[], object],
        guard: Guard | None = None,
        readiness: Readiness | None = None,
    ) -> None:
        guard = guard or OPEN
        routes = {path: _guarded(methods, guard) for path, methods in routes.items()}
        self._cors = guard.cors
        self._warm_up = warm_up
        self._routes: dict[str, Methods] = {"/health": {"GET": self._health}, **routes}
        if readiness is not None:
            self._routes["/ready"] = {"GET": partial(_ready, readiness)}
        self._prefixes = {path[:-1]: routes[path] for path in routes if path.endswith("*")}
        self._bypasses_framework = False

    async def __call__(self, request: Request) -> Response:
        """Return the response to a request; an error is a response too."""
        if not self._bypasses_framework:
            self._bypass_framework(request)
        traceparent = trace.continue_trace(header(request, b"traceparent"))
        token = trace.current.set(traceparent)
        try:
            response = await self._handler(request)(request)
        except Exception as error:
            response = _error_response(error)
        finally:
            trace.current.reset(token)
        correlation_id = trace.trace_id(traceparent).encode()
        response.raw_headers.append((b"x-correlation-id", correlation_id))
        if self._cors is not None:
            response.raw_headers.extend(self._cors.headers(request))
        return response

    def _bypass_framework(self, request: Request) -> None:
        """Bypass the framework from the second request on: the first one refers to its app."""
        self._bypasses_framework = True
        if app := request.scope.get("app"):
            bypass_framework(self, app)

    async def _health(self, _: Request) -> Response:
        self._warm_up()
        return json_response(b'{"status":"ok"}')

    def _handler(self, request: Request) -> Handler:
        methods = self._methods(request.scope["path"])
        method = "GET" if request.method == "HEAD" else request.method
        if method in methods:
            return methods[method]
        allow = ", ".join([*(["GET", "HEAD"] if "GET" in methods else methods), "OPTIONS"])
        if method == "OPTIONS":
            return partial(self._options, allow)
        raise Problem(405, f"{request.method} is not for this path.", headers={"Allow": allow})

    async def _options(self, allow: str, _: Request) -> Response:
        preflight = self._cors.preflight_headers(allow) if self._cors is not None else {}
        return Response(status_code=204, headers={"Allow": allow, **preflight})

    def _methods(self, path: str) -> Methods:
        if path in self._routes:
            return self._routes[path]
        for prefix, methods in self._prefixes.items():
            if path.startswith(prefix):
                return methods
        raise Problem(404, "Nothing is served at this path.")


async def _ready(readiness: Readiness, _: Request) -> Response:
    report = await readiness.check()
    if not report.is_ready:  # not raised: a change is logged, not every request
        not_ready = Unavailable(f"Not ready: {report.failures}", services=report.services)
        return problem_of(not_ready).response()
    body = {"status": "ready", "services": report.services}
    return json_response(orjson.dumps(body), headers={"Cache-Control": "no-store"})


def _guarded(methods: Methods, guard: Guard) -> Methods:
    guarded = dict(methods)
    if "GET" in guarded:
        guarded["GET"] = _with_cache_control(guarded["GET"], guard.cache_control)
    if guard.admit is None:
        return guarded
    return {method: _admitted(handler, guard.admit) for method, handler in guarded.items()}


def _with_cache_control(handler: Handler, value: str) -> Handler:
    added = (b"cache-control", value.encode())

    async def handle(request: Request) -> Response:
        response = await handler(request)
        if all(name != b"cache-control" for name, _ in response.raw_headers):
            response.raw_headers.append(added)
        return response

    return handle


def _admitted(handler: Handler, admit: Admission) -> Handler:
    async def handle(request: Request) -> Response:
        headers = admit(request)
        try:
            response = await handler(request)
        except Exception as error:
            response = _error_response(error)
        response.headers.update(headers)
        return response

    return handle


def _error_response(error: Exception) -> Response:
    """Return the response to an error; one that is not the client's is logged."""
    problem = problem_of(error)
    if isinstance(error, Unavailable):
        log.warning("unavailable", extra={"fields": {"detail": problem.detail}})
    elif problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("unexpected error", exc_info=error)
    return problem.response()
