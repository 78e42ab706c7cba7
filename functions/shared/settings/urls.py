"""URLs that have a password in them: what is wrong with one is said without it."""

from urllib.parse import urlsplit


def checked(url: str) -> str:
    """The URL as it is.

    Raises:
        ValueError: it cannot be taken apart; says nothing of what is in it.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - asking for it is the check
    except ValueError:
        raise ValueError("its port is no number from 0 to 65535") from None
    # Else a part of the password would pass for the host, and be named when that is not found.
    if "@" in parts.path + parts.query + parts.fragment:
        raise ValueError("in a user or password / ? # are %2F %3F %23, elsewhere @ is %40")
    return url
