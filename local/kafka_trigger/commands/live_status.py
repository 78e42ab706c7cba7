"""Asking running triggers for the status of their partitions."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 3.0

PartitionStatus = Mapping[str, object]
LiveStatus = dict[tuple[str, int], PartitionStatus]  # by the trigger's name and the partition


class StatusUnavailable(Exception):
    """There is no running trigger at an address; the message says why, in one line."""


def fetch_live_status(url: str) -> LiveStatus:
    """Fetch the status of the partitions that a process has; raises StatusUnavailable."""
    try:
        return {
            (trigger, int(partition)): status
            for trigger, document in _fetch(url)["triggers"].items()
            for partition, status in document["partitions"].items()
        }
    except (OSError, HTTPException) as error:
        raise StatusUnavailable(f"{url}: no trigger answers: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StatusUnavailable(f"{url}: no trigger's /status is there") from error


def _fetch(url: str) -> Any:
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/status")
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()
