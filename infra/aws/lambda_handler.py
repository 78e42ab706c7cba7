"""`python -m awslambdaric infra.aws.lambda_handler.handler`: any of the functions on AWS Lambda.

FUNCTION_SOURCE and FUNCTION_TARGET name it, as for functions-framework.
"""

import os
from typing import Any

from functions_framework.aio import create_asgi_app
from starlette.types import ASGIApp

from infra.aws.asgi import AppRequest, AppRunner
from infra.aws.dispatch import dispatch


class CannotStart(Exception):
    """A variable is missing or wrong; Lambda would not report an exit with its message."""


def start() -> AppRunner:
    """Return a runner of the function's app, whose clients already connect."""
    try:
        app: ASGIApp = create_asgi_app()  # type: ignore[no-untyped-call]
    except SystemExit as error:
        raise CannotStart(str(error)) from None
    runner = AppRunner(app)
    runner.request(AppRequest("GET", "/health"))
    return runner


runner = start()


def handler(event: Any, _context: object) -> Any:
    """Process an event; Lambda calls this."""
    return dispatch(event, runner.request, os.environ.get("_X_AMZN_TRACE_ID", ""))
