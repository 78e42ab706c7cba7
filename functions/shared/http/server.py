"""A function's process: its log, its garbage collector, and the limits of its HTTP server."""

import gc
import sys
from functools import partial

from functions.shared.http.settings import HttpSettings
from functions.shared.observability import logs


def configure(service: str, settings: HttpSettings) -> None:
    """Make the process a function's; to be called when all that it needs has been imported."""
    logs.configure(service, settings.log_level)
    gc.freeze()  # the collector need not look through what stays
    _limit_requests(settings)


def _limit_requests(settings: HttpSettings) -> None:
    """End requests that do not arrive in time.

    functions-framework has no setting for that, but makes its server after the import, from a class
    that keeps its configuration open. Where something else hosts the function, nothing is done, or
    loaded.
    """
    if "functions_framework._http" not in sys.modules:
        return
    from uvicorn_worker import UvicornWorker

    from functions.shared.http.connection import Connection

    connection = partial(
        Connection,
        header_timeout_s=settings.header_timeout_s,
        body_timeout_s=settings.body_timeout_s,
    )
    UvicornWorker.CONFIG_KWARGS = {**UvicornWorker.CONFIG_KWARGS, "http": connection}
