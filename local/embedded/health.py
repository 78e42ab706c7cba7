"""Whether a server says that it is well."""

from contextlib import closing
from http.client import HTTPConnection, HTTPException

from local.embedded.ports import HOST

TIMEOUT_S = 2


def answers(port: int) -> bool:
    """Whether GET /health is answered with 200."""
    with closing(HTTPConnection(HOST, port, timeout=TIMEOUT_S)) as connection:
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
