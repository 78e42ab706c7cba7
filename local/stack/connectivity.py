"""Whether a service that the environment names can be reached at all."""

import socket
from urllib.parse import urlsplit

from functions.shared.settings.secrets import is_reference
from local.stack.errors import StackError

TIMEOUT_S = 3
USUAL_PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}


def check(variable: str, url: str) -> None:
    """Connect to the service that `variable` names; Kafka's may be several, with commas between.

    Raises:
        StackError: nothing answers there, or it is no address.
    """
    if url.startswith("unix:") or is_reference(url):
        return
    urls = [url] if "://" in url else url.split(",")
    try:
        places = [_place(each) for each in urls]
    except ValueError:  # it would quote what may be a password
        raise StackError(f"{variable} is set, but is no address") from None
    if not any(_answers(host, port) for host, port in places):
        raise StackError(
            f"{variable} is set, but nothing answers at"
            f" {', '.join(f'{host}:{port}' for host, port in places)}"
        )


def _place(url: str) -> tuple[str, int]:
    """Host and port of a URL, or of `host:port` as Kafka writes it."""
    parts = urlsplit(url if "://" in url else f"//{url}")
    return parts.hostname or "localhost", parts.port or USUAL_PORTS.get(parts.scheme, 9092)


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=TIMEOUT_S).close()
    except (OSError, UnicodeError):  # a name that cannot be one is not there either
        return False
    return True
