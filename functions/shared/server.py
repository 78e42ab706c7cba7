"""The limits of the HTTP server that functions-framework hosts a function with."""

import sys
from functools import partial

from functions.shared.settings import Settings


def limit_requests(settings: Settings) -> None:
    """End requests that do not arrive in time; to be called as the function is imported.

    functions-framework has no setting for that, but makes its server after the import, from a class
    that keeps its configuration open. Where something else hosts the function, nothing is done, or
    loaded.
    """
    if "functions_framework._http" not in sys.modules:
        return
    from uvicorn_worker import UvicornWorker

    from functions.shared.connection import Connection

    connection = partial(
        Connection,
        header_timeout_s=settings.header_timeout_s,
        body_timeout_s=settings.body_timeout_s,
    )
    UvicornWorker.CONFIG_KWARGS = {**UvicornWorker.CONFIG_KWARGS, "http": connection}
