"""Whether the broker acknowledges records, by their delivery reports."""

import logging
from collections.abc import Callable

from confluent_kafka import KafkaError

REPEAT_AFTER_S = 30.0  # between two log lines with the same cause

log = logging.getLogger(__name__)


class DeliveryHealth:
    """Logs a failure once, not for each record, and remembers it for `failure_ttl_s` seconds.

    For so long a failure says something about the next record. After that nothing is known: an
    instance that gets no records because one failed would never show that it works again.
    """

    def __init__(self, failure_ttl_s: float, clock: Callable[[], float]) -> None:
        self._failure_ttl_s = failure_ttl_s
        self._clock = clock
        self._failure: KafkaError | None = None
        self._failed_at = 0.0
        self._client_error = ""
        self._client_error_at = 0.0
        self._logged_at: dict[int, float] = {}
        self._log_recovery = False

    def record_failure(self, error: KafkaError) -> None:
        """Record a delivery that failed."""
        now = self._clock()
        self._failure, self._failed_at = error, now
        if now - self._logged_at.get(error.code(), -REPEAT_AFTER_S) >= REPEAT_AFTER_S:
            self._logged_at[error.code()] = now
            self._log_recovery = True
            self._log(error, now)

    def record_success(self) -> None:
        """Record a delivery that was acknowledged."""
        if self._failure is None:
            return
        self._failure = None
        if self._log_recovery:
            self._log_recovery = False
            log.warning("the broker acknowledges records again")

    def record_client_error(self, error: KafkaError) -> None:
        """Record an error of the client's connections: the reason why a record timed out."""
        self._client_error, self._client_error_at = error.str(), self._clock()

    def cause(self) -> str | None:
        """Return why the last delivery failed, if that was not long ago; without any address."""
        if self._failure is None or self._clock() - self._failed_at >= self._failure_ttl_s:
            return None
        return str(KafkaError(self._failure.code()).str())

    def _log(self, error: KafkaError, now: float) -> None:
        fields = {"cause": error.name()}
        if self._client_error and now - self._client_error_at < REPEAT_AFTER_S:
            fields["client"] = self._client_error
        log.error(
            "the broker does not acknowledge records: %s", error.str(), extra={"fields": fields}
        )
