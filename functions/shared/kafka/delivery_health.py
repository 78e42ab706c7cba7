"""Whether the broker acknowledges records, as their delivery reports say."""

import logging
from collections.abc import Callable

from confluent_kafka import KafkaError

REPEAT_AFTER_S = 30.0  # between two lines that name the same cause

log = logging.getLogger(__name__)


class DeliveryHealth:
    """Logs why records fail once, not for each record, and remembers it for `told_for_s`.

    So long a failure says something of the next record. Without records nothing is known, and an
    instance that is sent none because it once failed would never show that it works again.
    """

    def __init__(self, told_for_s: float, clock: Callable[[], float]) -> None:
        self._told_for_s = told_for_s
        self._clock = clock
        self._cause: KafkaError | None = None
        self._failed_at = 0.0
        self._heard = ""
        self._heard_at = 0.0
        self._logged_at: dict[int, float] = {}
        self._is_recovery_news = False

    def failed(self, error: KafkaError) -> None:
        """Take note of a delivery that failed."""
        now = self._clock()
        self._cause, self._failed_at = error, now
        if now - self._logged_at.get(error.code(), -REPEAT_AFTER_S) >= REPEAT_AFTER_S:
            self._logged_at[error.code()] = now
            self._is_recovery_news = True
            self._log(error, now)

    def succeeded(self) -> None:
        """Take note of a delivery that was acknowledged."""
        if self._cause is None:
            return
        self._cause = None
        if self._is_recovery_news:
            self._is_recovery_news = False
            log.warning("the broker acknowledges records again")

    def heard(self, error: KafkaError) -> None:
        """Take what the client says of its connections: a record that timed out does not say it."""
        self._heard, self._heard_at = error.str(), self._clock()

    def cause(self) -> str | None:
        """Why the last delivery failed, if that was not long ago; without any address."""
        if self._cause is None or self._clock() - self._failed_at >= self._told_for_s:
            return None
        return str(KafkaError(self._cause.code()).str())

    def _log(self, error: KafkaError, now: float) -> None:
        fields = {"cause": error.name()}
        if self._heard and now - self._heard_at < REPEAT_AFTER_S:
            fields["client"] = self._heard
        log.error(
            "the broker does not acknowledge records: %s", error.str(), extra={"fields": fields}
        )
