"""Bringing a batch to a function, again and again, until each record is taken or a dead letter."""

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from local.kafka_trigger.config.models import Retry
from local.kafka_trigger.consuming.record import Record
from local.kafka_trigger.delivering.availability_log import AvailabilityLog
from local.kafka_trigger.delivering.backoff import full_jitter, retry_after_s
from local.kafka_trigger.delivering.batch_slice import BatchSlice
from local.kafka_trigger.delivering.classify_response import Outcome, Verdict, classify_response
from local.kafka_trigger.delivering.dead_letter import DeadLetter, DeadLetters, Reason
from local.kafka_trigger.delivering.transport import Aborted, Broken, HttpResponse, Unreachable
from local.kafka_trigger.envelopes.json_events import cloudevents_batch
from local.kafka_trigger.envelopes.payload import Payload
from local.kafka_trigger.filters.compile import Accepts
from local.kafka_trigger.observing.metrics import TriggerMetrics

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The delivery stops where it is, since its partition is being given up."""


class Posts(Protocol):
    """What is needed of a transport."""

    def post(self, payload: Payload) -> HttpResponse:
        """Post a payload; raises Unreachable, Broken or Aborted."""


class Delivery:
    """Delivers a partition's batches one after the other; `trigger` names it in the log.

    `wait` waits for some seconds, or less if the delivery is to stop, and says whether it is.
    `wait_on` does so in its place where a record after one that is left is settled: a stop would
    have it come again, so it may be one that leaves time to finish.
    `wants` says which records to deliver, if not all.
    `blocked` is told why a record can neither be delivered nor given up, and None once it is.
    """

    def __init__(
        self,
        trigger: str,
        retry: Retry,
        transport: Posts,
        dead_letters: DeadLetters,
        outage: AvailabilityLog,
        metrics: TriggerMetrics,
        *,
        wait: Callable[[float], bool],
        wait_on: Callable[[float], bool] | None = None,
        encode: Callable[[Sequence[Record]], Payload] = cloudevents_batch,
        wants: Accepts | None = None,
        blocked: Callable[[str | None], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._trigger = trigger
        self._retry = retry
        self._transport = transport
        self._dead_letters = dead_letters
        self._outage = outage
        self._metrics = metrics
        self._wait = wait
        self._wait_on = wait_on or wait
        self._encode = encode
        self._wants = wants
        self._blocked = blocked
        self._clock = clock
        self._chance = chance

    def deliver(self, records: Sequence[Record], done: Callable[[int], None]) -> None:
        """Deliver a batch; `done(offset)` is told whenever all before that offset is settled.

        Raises Stopped when it is to stop; what is not done by then is to be delivered again.
        """
        wanted = self._wanted(records)
        parts = [BatchSlice(wanted, self._clock())] if wanted else []
        position, end = records[0].offset(), records[-1].offset() + 1
        while position < end:
            if parts:
                parts += reversed(self._settle(parts.pop()))
            reached = parts[-1].records[0].offset() if parts else end
            if reached > position:
                position = reached
                done(position)

    def _wanted(self, records: Sequence[Record]) -> Sequence[Record]:
        """What no filter matches is passed over: it is done as soon as all before it is."""
        if self._wants is None:
            return records
        wanted = [record for record in records if self._wants(record)]
        self._metrics.filtered(len(records) - len(wanted))
        return wanted

    def _settle(self, part: BatchSlice) -> list[BatchSlice]:
        """Deliver a part once; returns what remains of it, in order."""
        self._pause(0, part)
        part.tries += 1
        outcome = self._counted(part)
        if outcome.verdict is Verdict.AWAY:
            self._outage.away(outcome.why)
            return self._again(part, outcome) if self._in_time(part) else self._bury(part, outcome)
        self._outage.back()
        if outcome.verdict is Verdict.TAKEN:
            return self._settle_failures(part, outcome) if outcome.failures else []
        if outcome.verdict is Verdict.FAILED and self._counts_and_may_retry(part):
            return self._again(part, outcome)
        return self._halve(part, outcome) if len(part.records) > 1 else self._bury(part, outcome)

    def _counted(self, part: BatchSlice) -> Outcome:
        began = self._clock()
        outcome = self._try(part)
        self._metrics.delivered(outcome, len(part.records), part.tries, self._clock() - began)
        return outcome

    def _try(self, part: BatchSlice) -> Outcome:
        try:
            answer = self._transport.post(self._encode(part.records))
        except Unreachable as error:
            return Outcome(Verdict.AWAY, str(error))
        except Broken as error:
            return Outcome(Verdict.FAILED, str(error))
        except Aborted as error:
            raise Stopped from error
        return classify_response(answer, part.records)

    def _settle_failures(self, part: BatchSlice, outcome: Outcome) -> list[BatchSlice]:
        """What an answer names is impossible, or to come again; the rest of the part is taken."""
        failures = outcome.failures
        named = [
            (each, failures[each.offset()]) for each in part.records if each.offset() in failures
        ]
        again = [record for record, failure in named if failure.retryable]
        in_budget = bool(again) and self._counts_and_may_retry(part)
        given_up = self._reason(part, outcome)
        letters = (
            DeadLetter(
                record,
                outcome.status,
                part.tries,
                failure.why,
                given_up if failure.retryable else "refused",
            )
            for record, failure in named
            if not (failure.retryable and in_budget)
        )
        failed = part.rest([record for record, _ in named])
        self._write(letters, failed)
        return self._again(failed.rest(again), outcome) if in_budget else []

    def _counts_and_may_retry(self, part: BatchSlice) -> bool:
        part.attempts += 1
        return part.attempts < self._retry.max_attempts and self._in_time(part)

    def _in_time(self, part: BatchSlice) -> bool:
        return self._left_s(part) > 0

    def _left_s(self, part: BatchSlice) -> float:
        """The seconds until a part is too old."""
        limit_s = self._retry.max_age_s or float("inf")
        return part.since + limit_s - self._clock()

    def _again(self, part: BatchSlice, outcome: Outcome) -> list[BatchSlice]:
        asked_s = retry_after_s(outcome.retry_after, datetime.now(UTC))
        wait_s = min(max(asked_s, self._backoff_s(part.tries)), self._left_s(part))
        if outcome.verdict is not Verdict.AWAY:
            self._say("trying again", part, outcome, wait_s=round(wait_s, 3))
        self._pause(wait_s, part)
        return [part]

    def _halve(self, part: BatchSlice, outcome: Outcome) -> list[BatchSlice]:
        self._say("splitting the batch", part, outcome)
        middle = len(part.records) // 2
        return [part.of(part.records[:middle]), part.of(part.records[middle:])]

    def _bury(self, part: BatchSlice, outcome: Outcome) -> list[BatchSlice]:
        told = (outcome.status, part.tries, outcome.why, self._reason(part, outcome))
        is_away = outcome.verdict is Verdict.AWAY
        self._write((DeadLetter(each, *told, is_away) for each in part.records), part)
        return []

    def _reason(self, part: BatchSlice, outcome: Outcome) -> Reason:
        if outcome.verdict is Verdict.REFUSED:
            return "refused"
        is_away = outcome.verdict is Verdict.AWAY
        return "attempts" if part.attempts >= self._retry.max_attempts and not is_away else "age"

    def _write(self, letters: Iterable[DeadLetter], part: BatchSlice) -> None:
        """Return when all letters of a part are safe, however long that takes."""
        left, tries = list(letters), 0
        while left:
            tried, unsafe = left, self._dead_letters.write(left)
            left = [each.letter for each in unsafe]
            self._metrics.buried(_reasons(tried) - _reasons(left))
            tries += 1
            self._blocked(f"a dead letter cannot be written: {unsafe[0].why}" if unsafe else None)
            if unsafe:
                self._pause(self._backoff_s(tries), part)

    def _backoff_s(self, tries: int) -> float:
        retry = self._retry
        return full_jitter(tries, retry.initial_backoff_s, retry.max_backoff_s, self._chance)

    def _pause(self, seconds: float, part: BatchSlice) -> None:
        wait = self._wait_on if part.has_gaps else self._wait
        if wait(seconds):
            raise Stopped

    def _say(self, message: str, part: BatchSlice, outcome: Outcome, **more: object) -> None:
        first = part.records[0]
        fields = {
            "trigger": self._trigger,
            "topic": first.topic(),
            "partition": first.partition(),
            "offset": first.offset(),
            "records": len(part.records),
            "tries": part.tries,
            "why": outcome.why,
        }
        log.warning(message, extra={"fields": fields | more})


def _reasons(letters: Iterable[DeadLetter]) -> Counter[Reason]:
    return Counter(letter.reason for letter in letters)
