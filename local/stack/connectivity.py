"""Whether services can be reached, and servers answer."""

import socket
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from functions.shared.settings.secret_references import is_reference
from local.stack import StackError
from local.stack.ports import HOST

CONNECT_TIMEOUT_S = 3
HTTP_TIMEOUT_S = 2
DEFAULT_PORTS = {"postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}
KAFKA_PORT = 9092


def accepts(port: int, host: str = HOST) -> bool:
    """Return whether a TCP connection to the port can be made within 3 seconds."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S).close()
    except (OSError, UnicodeError):  # UnicodeError: a host that is no valid name
        return False
    return True


def answers_ok(port: int, path: str) -> bool:
    """Return whether this machine answers GET on the path with 200, within 2 seconds."""
    with closing(HTTPConnection(HOST, port, timeout=HTTP_TIMEOUT_S)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False


def require_service(variable: str, url: str) -> None:
    """Check that the service which an environment variable names can be reached.

    Several Kafka brokers are separated by commas; one that can be reached is enough. A Unix socket
    and a reference to a secret are not checked.

    Raises:
        StackError: none can be reached, or the value is no address.
    """
    if url.startswith("unix:") or is_reference(url):
        return
    urls = [url] if "://" in url else url.split(",")
    try:
        addresses = [_host_and_port(each) for each in urls]
    except ValueError:  # its message would quote what may be a password
        raise StackError(f"{variable} is set, but is no address") from None
    if not any(accepts(port, host) for host, port in addresses):
        raise StackError(
            f"{variable} is set, but nothing answers at"
            f" {', '.join(f'{host}:{port}' for host, port in addresses)}"
        )


def _host_and_port(url: str) -> tuple[str, int]:
    """Return host and port of a URL, or of `host:port` as Kafka's clients write it."""
    parts = urlsplit(url if "://" in url else f"//{url}")
    return parts.hostname or "localhost", parts.port or DEFAULT_PORTS.get(parts.scheme, KAFKA_PORT)
