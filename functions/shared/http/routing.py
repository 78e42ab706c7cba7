"""Routing of a function's requests, with trace context, and errors as responses."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from functions.shared.errors import Unavailable
from functions.shared.http.framework_bypass import Handler, bypass_framework
from functions.shared.http.headers import header
from functions.shared.http.problems import Problem, problem_of
from functions.shared.http.readiness import Readiness
from functions.shared.http.responses import json_response
from functions.shared.observability import trace

Methods = Mapping[str, Handler]
Guard = Callable[[Request], None]

log = logging.getLogger(__name__)


class Router:
    """Calls the handler of a request's path and method, and makes problem details of every error.

    `routes` maps paths to methods to handlers; a path that ends in `*` matches all that begin so.
    `GET /health` calls `warm_up`, so that a function whose health was checked has made its clients.
    `GET /ready` answers with what `readiness` finds. `guard` is called with every other request
    before its handler, and raises the Problem that refuses it.
    """

    def __init__(
        self,
        routes: Mapping[str, Methods],
        warm_up: Callable[[], object],
        guard: Guard | None = None,
        readiness: Readiness | None = None,
    ) -> None:
        if guard is not None:
            routes = {path: _guarded(methods, guard) for path, methods in routes.items()}
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


async def _ready(readiness: Readiness, _: Request) -> Response:
    report = await readiness.check()
    if not report.is_ready:  # not raised: a change is logged, not every request
        not_ready = Unavailable(f"Not ready: {report.failures}", services=report.services)
        return problem_of(not_ready).response()
    body = {"status": "ready", "services": report.services}
    return json_response(orjson.dumps(body), headers={"Cache-Control": "no-store"})


def _guarded(methods: Methods, guard: Guard) -> Methods:
    def guarded(handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            guard(request)
            return await handler(request)

        return handle

    return {method: guarded(handler) for method, handler in methods.items()}


def _error_response(error: Exception) -> Response:
    """Return the response to an error; one that is not the client's is logged."""
    problem = problem_of(error)
    if isinstance(error, Unavailable):
        log.warning("unavailable", extra={"fields": {"detail": problem.detail}})
    elif problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("unexpected error", exc_info=error)
    return problem.response()
