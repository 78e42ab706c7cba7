"""Delivers a batch to a function, until each record is accepted or a dead letter."""

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from local.kafka_trigger.delivering.classify_response import Outcome, Verdict, classify_response
from local.kafka_trigger.delivering.context import DeliveryContext, DeliveryStatus, Waits
from local.kafka_trigger.delivering.dead_letter import DeadLetter, Reason
from local.kafka_trigger.delivering.retry_policy import BatchSlice, RetryPolicy
from local.kafka_trigger.delivering.transport import Aborted, NoResponse, Transport, Unreachable
from local.kafka_trigger.record import Record

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The delivery stops before the batch is processed, since its partition is revoked."""


class RetryingDeliverer:
    """Delivers a partition's batches one after the other."""

    def __init__(
        self,
        context: DeliveryContext,
        transport: Transport,
        waits: Waits,
        status: DeliveryStatus | None = None,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._context = context
        self._transport = transport
        self._waits = waits
        self._status = status or DeliveryStatus()
        self._clock = clock
        self._policy = RetryPolicy(context.retry, clock, chance)

    def deliver(self, records: Sequence[Record], on_progress: Callable[[int], None]) -> None:
        """Deliver a batch; calls `on_progress(offset)` when all before that offset is processed.

        Raises Stopped when it is to stop; what is not processed by then is to be delivered again.
        """
        accepted = self._filtered(records)
        slices = [BatchSlice(accepted, self._clock())] if accepted else []
        position, end = records[0].offset(), records[-1].offset() + 1
        while position < end:
            if slices:
                slices += reversed(self._attempt(slices.pop()))
            processed_to = slices[-1].records[0].offset() if slices else end
            if processed_to > position:
                position = processed_to
                on_progress(position)

    def _filtered(self, records: Sequence[Record]) -> Sequence[Record]:
        """The records to deliver; any other is processed once all before it are."""
        accepts = self._context.accepts
        if accepts is None:
            return records
        accepted = [record for record in records if accepts(record)]
        self._context.metrics.count_filtered(len(records) - len(accepted))
        return accepted

    def _attempt(self, batch_slice: BatchSlice) -> list[BatchSlice]:
        """Deliver a slice once; returns what remains of it, in order."""
        self._wait(0, batch_slice)
        outcome = self._request(batch_slice)
        if outcome.verdict is Verdict.UNAVAILABLE:
            self._context.availability.unavailable(outcome.detail)
            if self._policy.is_in_time(batch_slice):
                return self._retry(batch_slice, outcome)
            return self._dead_letter(batch_slice, outcome)
        self._context.availability.available()
        if outcome.verdict is Verdict.ACCEPTED:
            return self._handle_failures(batch_slice, outcome) if outcome.failures else []
        if outcome.verdict is Verdict.RETRYABLE and self._policy.count_failure(batch_slice):
            return self._retry(batch_slice, outcome)
        if len(batch_slice.records) > 1:
            return self._split(batch_slice, outcome)
        return self._dead_letter(batch_slice, outcome)

    def _request(self, batch_slice: BatchSlice) -> Outcome:
        """Send a slice, and count the request."""
        batch_slice.requests += 1
        started_at = self._clock()
        outcome = self._send(batch_slice)
        self._context.metrics.count_request(
            outcome, len(batch_slice.records), batch_slice.requests, self._clock() - started_at
        )
        return outcome

    def _send(self, batch_slice: BatchSlice) -> Outcome:
        payload = self._context.encode(batch_slice.records)
        self._status.attempts += 1
        try:
            response = self._transport.post(payload)
        except Unreachable as error:
            return Outcome(Verdict.UNAVAILABLE, str(error))
        except NoResponse as error:
            return Outcome(Verdict.RETRYABLE, str(error))
        except Aborted as error:
            raise Stopped from error
        return classify_response(response, batch_slice.records)

    def _handle_failures(self, batch_slice: BatchSlice, outcome: Outcome) -> list[BatchSlice]:
        """Retry the records that a response names, or make dead letters of them."""
        failures = outcome.failures
        failed = [
            (each, failures[each.offset()])
            for each in batch_slice.records
            if each.offset() in failures
        ]
        retryable = [record for record, failure in failed if failure.retryable]
        may_retry = bool(retryable) and self._policy.count_failure(batch_slice)
        exhausted = self._policy.exhausted(batch_slice)
        letters = (
            DeadLetter(
                record,
                outcome.status,
                batch_slice.requests,
                failure.detail,
                exhausted if failure.retryable else "refused",
            )
            for record, failure in failed
            if not (failure.retryable and may_retry)
        )
        remaining = batch_slice.remaining([record for record, _ in failed])
        self._write_dead_letters(letters, remaining)
        return self._retry(remaining.remaining(retryable), outcome) if may_retry else []

    def _retry(self, batch_slice: BatchSlice, outcome: Outcome) -> list[BatchSlice]:
        wait_s = self._policy.wait_s(batch_slice, outcome.retry_after)
        if outcome.verdict is not Verdict.UNAVAILABLE:
            self._log("trying again", batch_slice, outcome, wait_s=round(wait_s, 3))
        self._wait(wait_s, batch_slice)
        return [batch_slice]

    def _split(self, batch_slice: BatchSlice, outcome: Outcome) -> list[BatchSlice]:
        self._log("splitting the batch", batch_slice, outcome)
        records = batch_slice.records
        middle = len(records) // 2
        return [batch_slice.part(records[:middle]), batch_slice.part(records[middle:])]

    def _dead_letter(self, batch_slice: BatchSlice, outcome: Outcome) -> list[BatchSlice]:
        """Make a dead letter of each record of a slice."""
        is_unavailable = outcome.verdict is Verdict.UNAVAILABLE
        facts = (outcome.status, batch_slice.requests, outcome.detail)
        reason = self._reason(batch_slice, outcome.verdict)
        letters = (DeadLetter(each, *facts, reason, is_unavailable) for each in batch_slice.records)
        self._write_dead_letters(letters, batch_slice)
        return []

    def _reason(self, batch_slice: BatchSlice, verdict: Verdict) -> Reason:
        if verdict is Verdict.REJECTED:
            return "refused"
        return "age" if verdict is Verdict.UNAVAILABLE else self._policy.exhausted(batch_slice)

    def _write_dead_letters(self, letters: Iterable[DeadLetter], batch_slice: BatchSlice) -> None:
        """Return when all dead letters of a slice are written, however long that takes."""
        left, failures = list(letters), 0
        while left:
            tried, unwritten = left, self._context.dead_letters.write(left)
            left = [each.letter for each in unwritten]
            self._context.metrics.count_dead_letters(_reasons(tried) - _reasons(left))
            if not unwritten:
                self._status.blocked_by = None
                return
            self._status.blocked_by = f"a dead letter cannot be written: {unwritten[0].detail}"
            failures += 1
            self._wait(self._policy.backoff_s(failures), batch_slice)

    def _wait(self, seconds: float, batch_slice: BatchSlice) -> None:
        wait = self._waits.until_abort if batch_slice.has_gaps else self._waits.until_stop
        if wait(seconds):
            raise Stopped

    def _log(self, message: str, batch_slice: BatchSlice, outcome: Outcome, **more: object) -> None:
        first = batch_slice.records[0]
        fields = {
            "trigger": self._context.trigger,
            "topic": first.topic(),
            "partition": first.partition(),
            "offset": first.offset(),
            "records": len(batch_slice.records),
            "tries": batch_slice.requests,
            "why": outcome.detail,
        }
        log.warning(message, extra={"fields": fields | more})


def _reasons(letters: Iterable[DeadLetter]) -> Counter[Reason]:
    return Counter(letter.reason for letter in letters)
