"""Whether a service that the environment names can be reached at all."""

import socket
from urllib.parse import urlsplit

from local.embedded.error import StackError

TIMEOUT_S = 3
USUAL_PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}


def check(variable: str, url: str) -> None:
    """Connect to the service that `variable` names.

    Raises:
        StackError: nothing answers there.
    """
    places = [] if url.startswith("unix:") else [_place(part) for part in url.split(",")]
    if places and not any(_answers(host, port) for host, port in places):
        raise StackError(
            f"{variable} is set, but nothing answers at"
            f" {', '.join(f'{host}:{port}' for host, port in places)}"
        )


def _place(url: str) -> tuple[str, int]:
    """Host and port of a URL, or of `host:port` as Kafka writes it; never its password."""
    parts = urlsplit(url if "://" in url else f"//{url}")
    try:
        return parts.hostname or "localhost", parts.port or USUAL_PORTS.get(parts.scheme, 9092)
    except ValueError as error:
        raise StackError(f"{error} in {url.rpartition('@')[2]!r}") from None


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=TIMEOUT_S).close()
    except OSError:
        return False
    return True
