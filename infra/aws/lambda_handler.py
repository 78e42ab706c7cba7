"""`python -m awslambdaric infra.aws.lambda_handler.handler`: any of the functions on AWS Lambda.

FUNCTION_SOURCE and FUNCTION_TARGET say which, as functions-framework reads them.
"""

import os
from typing import Any

from functions_framework.aio import create_asgi_app
from starlette.types import ASGIApp

from infra.aws.asgi import Call, Host
from infra.aws.dispatch import dispatch


class CannotStart(Exception):
    """A variable is missing or wrong; an exit would leave Lambda to guess."""


def start() -> Host:
    """The function's app, with its clients made, which connect until the first event is there."""
    try:
        app: ASGIApp = create_asgi_app()  # type: ignore[no-untyped-call]
    except SystemExit as error:
        raise CannotStart(str(error)) from None
    host = Host(app)
    host.call(Call("GET", "/health"))
    return host


host = start()


def handler(event: Any, _context: object) -> Any:
    """What Lambda calls with each event."""
    return dispatch(event, host.call, os.environ.get("_X_AMZN_TRACE_ID", ""))
