"""Checks of URLs, whose errors show no password."""

from urllib.parse import urlsplit


def check_credentials_url(url: str) -> str:
    """Return the URL of a service, which may hold a user and a password.

    Raises:
        ValueError: it cannot be parsed; the message holds no part of it.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError for a port that is none
    except ValueError:
        raise ValueError("its port is no number from 0 to 65535") from None
    # Else a part of the password would pass for the host, and be named when that is not found.
    if "@" in parts.path + parts.query + parts.fragment:
        raise ValueError("in a user or password / ? # are %2F %3F %23, elsewhere @ is %40")
    return url


def check_base_url(url: str) -> str:
    """Return the http:// or https:// URL under which others are, without a slash at its end.

    Raises:
        ValueError: it is of another scheme, without a host, or with a query or fragment.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be as https://example.org/api")
    return url.rstrip("/")
