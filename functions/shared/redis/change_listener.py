"""A subscription to the channel on which changes of highlights are announced: best effort."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from functions.shared.errors import Unavailable
from functions.shared.redis.page_cache import LOGIN_ERRORS
from functions.shared.redis.scripts import CHANGES
from functions.shared.redis.settings import RedisSettings
from functions.shared.settings.load import reload_if_changed

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 2.0  # nobody waits for it
PING_EVERY_S: Final = 5.0  # while nothing is announced
FIRST_BACKOFF_S: Final = 0.1
LONGEST_BACKOFF_S: Final = 5.0


class ChangeListener:
    """Listens on one connection, which is opened again when it fails, or is REDIS_MAX_AGE_S old.

    An announcement may be lost, so who listens has to look for changes now and then anyway.
    """

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._is_away = False

    async def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake` at each announcement, and whenever some may have been missed.

        It goes on until it is cancelled; without a URL it returns at once.
        """
        if not self._settings.redis_url:
            return
        backoff_s = FIRST_BACKOFF_S
        while True:
            try:
                await self._listen_on_one_connection(wake)
                backoff_s = FIRST_BACKOFF_S
            except Exception as error:  # whatever it is, the next connection may do
                if not self._is_away:
                    log.warning(
                        "changes are not announced", extra={"fields": {"error": str(error)}}
                    )
                    backoff_s = FIRST_BACKOFF_S
                self._is_away = True
                await self._renew_settings(error)
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, LONGEST_BACKOFF_S)

    async def ready(self) -> None:
        """Return if Redis answers.

        Raises:
            Unavailable: it does not, or no URL is set.
        """
        if not self._settings.redis_url:
            raise Unavailable("No REDIS_URL is set.")
        try:
            async with self._client() as redis:
                await redis.ping()
        except Exception as error:
            await self._renew_settings(error)
            raise Unavailable("Redis does not answer.") from error

    async def _listen_on_one_connection(self, wake: Callable[[], None]) -> None:
        # A name may lead to another server by now, while the old one still answers.
        end_at = time.time() + self._settings.redis_max_age_s
        async with self._client() as redis, redis.pubsub() as subscription:
            await subscription.subscribe(CHANGES)
            while time.time() < end_at:
                message = await subscription.get_message(timeout=PING_EVERY_S)
                if message is None:
                    await subscription.ping()
                    message = await subscription.get_message(timeout=TIMEOUT_S)
                if message is None:
                    raise TimeoutError("no answer to a ping")
                if message["type"] == "subscribe" and self._is_away:
                    log.info("changes are announced again")
                    self._is_away = False
                if message["type"] in ("subscribe", "message"):
                    wake()

    def _client(self) -> Any:
        password = self._settings.redis_password
        return Redis.from_url(
            self._settings.redis_url or "",
            password=password.get_secret_value() if password else None,  # unless the URL has one
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )

    async def _renew_settings(self, error: Exception) -> None:
        if isinstance(error, LOGIN_ERRORS):
            fresh = await asyncio.to_thread(
                reload_if_changed, self._settings, "redis_url", "redis_password"
            )
            self._settings = fresh or self._settings
