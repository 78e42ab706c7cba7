"""What running triggers say of themselves at their probes."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

ANSWERS_WITHIN_S = 3.0

Standings = dict[tuple[str, int], Mapping[str, object]]


class NotReached(Exception):
    """No trigger tells at an address how it stands; the message says why, in one line."""


def standings(url: str) -> Standings:
    """How the partitions stand that a process has, by trigger and number; raises NotReached."""
    try:
        return {
            (trigger, int(number)): standing
            for trigger, told in _status(url)["triggers"].items()
            for number, standing in told["partitions"].items()
        }
    except (OSError, HTTPException) as error:
        raise NotReached(f"{url}: no trigger answers: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotReached(f"{url}: no trigger's /status is there") from error


def _status(url: str) -> Any:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=ANSWERS_WITHIN_S)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/status")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
