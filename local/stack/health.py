"""Whether a server says that it is well, or ready."""

from contextlib import closing
from http.client import HTTPConnection, HTTPException

from local.stack.ports import HOST

TIMEOUT_S = 2


def answers(port: int, path: str = "/health") -> bool:
    """Whether GET on the path is answered with 200."""
    with closing(HTTPConnection(HOST, port, timeout=TIMEOUT_S)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
