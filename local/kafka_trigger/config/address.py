"""The address of a function."""

import re
from urllib.parse import urlsplit

VISIBLE = re.compile(r"[!-~]+")


def web_address(url: str) -> str:
    """Return a function's address; raises ValueError if no request can be sent to it."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("a user and a password are not sent: they cannot be in the address")
    is_web = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    if not is_web or not VISIBLE.fullmatch(url) or not _is_host_name(str(parts.hostname)):
        raise ValueError(f"{redact_query(url)!r} is no http:// or https:// address")
    return url


def redact_query(url: str) -> str:
    """Return an address that can be logged: a query may contain a secret."""
    address, mark, _ = url.partition("?")
    return f"{address}{mark}…" if mark else address


def _is_host_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:  # a label is empty, or too long
        return False
    return True
