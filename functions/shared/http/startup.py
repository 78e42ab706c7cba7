"""Set-up of a function's process: its log, its garbage collector, and its server's limits."""

import gc
import sys
from functools import partial

from functions.shared.http.settings import HttpSettings
from functions.shared.observability.logs import configure_logging


def configure_process(service: str, settings: HttpSettings) -> None:
    """Set up the process of a function, once all that it needs has been imported."""
    configure_logging(service, settings.log_level)
    gc.freeze()  # the collector need not walk through modules
    _limit_requests(settings)


def _limit_requests(settings: HttpSettings) -> None:
    """Have the server refuse requests that are too large or do not arrive in time.

    functions-framework has no setting for that, but it makes its server after the import, from a
    class whose configuration can be changed. Under any other host this does and loads nothing.
    """
    if "functions_framework._http" not in sys.modules:
        return
    from uvicorn_worker import UvicornWorker

    from functions.shared.http.http_protocol import LimitedHttpProtocol

    protocol = partial(
        LimitedHttpProtocol,
        header_timeout_s=settings.header_timeout_s,
        body_timeout_s=settings.body_timeout_s,
    )
    UvicornWorker.CONFIG_KWARGS = {**UvicornWorker.CONFIG_KWARGS, "http": protocol}
