"""Which caches may keep the answers to GET, and for how long (RFC 9111)."""

from functions.shared.http.settings import AccessSettings

ASK_EACH_TIME = "no-cache"
STALE_IF_ERROR_S = 60


def cache_control(settings: AccessSettings) -> str:
    """Return the Cache-Control of answers that do not have their own.

    What needs a key is `private`: by itself a shared cache would keep the answer to `X-Api-Key` and
    give it to everybody, as RFC 9111, 3.5, protects `Authorization` alone. It needs no `Vary`,
    because a browser's cache asks each time, and the answer is the same for every key.

    What is open, a shared cache may keep for `cache_s_maxage_s` seconds, and give away for as long
    again while it asks for the next one; a browser asks each time, and its answer is no older.
    """
    if settings.api_keys:
        return f"private, {ASK_EACH_TIME}"
    if seconds := settings.cache_s_maxage_s:
        return (
            f"max-age=0, s-maxage={seconds}, stale-while-revalidate={seconds},"
            f" stale-if-error={STALE_IF_ERROR_S}"
        )
    return ASK_EACH_TIME
