"""The address of a function."""

import re
from urllib.parse import urlsplit

VISIBLE = re.compile(r"[!-~]+")


def web_address(url: str) -> str:
    """The address itself; raises ValueError for one that no request can be sent to."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("a user and a password are not sent: they cannot be in the address")
    is_one = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    if not is_one or not VISIBLE.fullmatch(url) or not _is_name(str(parts.hostname)):
        raise ValueError(f"{redact_query(url)!r} is no http:// or https:// address")
    return url


def redact_query(url: str) -> str:
    """An address as it may be told: what a query holds may be secret."""
    known, mark, _ = url.partition("?")
    return f"{known}{mark}…" if mark else known


def _is_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:  # a part of it is empty, or too long
        return False
    return True
