"""The retries of a part of a batch: how many, how long, and after which waits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from local.kafka_trigger.config.models import Retry
from local.kafka_trigger.delivering.backoff import full_jitter, retry_after_s
from local.kafka_trigger.record import Record


@dataclass(slots=True)
class BatchSlice:
    """Records of a batch that are sent in one request, and the history of their delivery.

    `started_at` is the time of the first request, and `requests` counts all; `failed_attempts`
    are those that count towards the limit. `has_gaps` if a record after one of these is processed
    already.
    """

    records: Sequence[Record]
    started_at: float
    requests: int = 0
    failed_attempts: int = 0
    has_gaps: bool = False

    def part(self, records: Sequence[Record]) -> "BatchSlice":
        """Return a slice of some consecutive records, with the history of all."""
        return BatchSlice(
            records, self.started_at, self.requests, self.failed_attempts, self.has_gaps
        )

    def remaining(self, records: Sequence[Record]) -> "BatchSlice":
        """Return a slice of these records, of which the others are processed."""
        remaining = self.part(records)
        remaining.has_gaps = self.has_gaps or records[0] is not self.records[-len(records)]
        return remaining


class RetryPolicy:
    """A trigger's limits of attempts and of age, and the waits between its attempts."""

    def __init__(
        self, retry: Retry, clock: Callable[[], float], chance: Callable[[], float]
    ) -> None:
        self._retry = retry
        self._clock = clock
        self._chance = chance

    def count_failure(self, batch_slice: BatchSlice) -> bool:
        """Count a failed attempt, and return whether there may be another one."""
        batch_slice.failed_attempts += 1
        return not self._attempts_are_used_up(batch_slice) and self.is_in_time(batch_slice)

    def is_in_time(self, batch_slice: BatchSlice) -> bool:
        """Return whether the limit of age, if there is one, is not reached."""
        return self._time_left_s(batch_slice) > 0

    def exhausted(self, batch_slice: BatchSlice) -> Literal["attempts", "age"]:
        """Return which limit a slice has reached that may not be retried."""
        return "attempts" if self._attempts_are_used_up(batch_slice) else "age"

    def wait_s(self, batch_slice: BatchSlice, retry_after: str | None) -> float:
        """Return the seconds before the next attempt, at least what `Retry-After` asks for."""
        asked_s = retry_after_s(retry_after, datetime.now(UTC))
        wait_s = max(asked_s, self.backoff_s(batch_slice.requests))
        return min(wait_s, self._time_left_s(batch_slice))

    def backoff_s(self, failures: int) -> float:
        """Return the seconds to wait after so many failures."""
        retry = self._retry
        return full_jitter(failures, retry.initial_backoff_s, retry.max_backoff_s, self._chance)

    def _attempts_are_used_up(self, batch_slice: BatchSlice) -> bool:
        return batch_slice.failed_attempts >= self._retry.max_attempts

    def _time_left_s(self, batch_slice: BatchSlice) -> float:
        limit_s = self._retry.max_age_s or float("inf")
        return batch_slice.started_at + limit_s - self._clock()
