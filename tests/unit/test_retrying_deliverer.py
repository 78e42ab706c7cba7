"""The delivery of a batch until each record is accepted or a dead letter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from local.kafka_trigger.config.models import Retry
from local.kafka_trigger.delivering.availability_log import AvailabilityLog
from local.kafka_trigger.delivering.context import DeliveryContext, DeliveryStatus, Waits
from local.kafka_trigger.delivering.dead_letter import DeadLetter, NotWritten
from local.kafka_trigger.delivering.retrying_deliverer import RetryingDeliverer, Stopped
from local.kafka_trigger.delivering.transport import Aborted, HttpResponse, NoResponse, Unreachable
from local.kafka_trigger.envelopes.json_events import cloudevents_batch
from local.kafka_trigger.envelopes.payload import Payload
from local.kafka_trigger.filters.record_filter import RecordPredicate
from local.kafka_trigger.observing.counters import Metrics
from local.kafka_trigger.record import Record
from tests.support.builders.records import TOPIC, offsets, records

Reply = HttpResponse | Exception
ACCEPTED = HttpResponse(200, b"")
REJECTED = HttpResponse(400, b"bad")
RETRYABLE = HttpResponse(500, b"")
UNAVAILABLE = HttpResponse(503, b"")


def naming(*failed: int, retryable: bool = True) -> HttpResponse:
    """A 200 that names these offsets as failed."""
    items = [
        {"itemIdentifier": f"{TOPIC}-0-{offset}", "retryable": retryable, "reason": "why"}
        for offset in failed
    ]
    return HttpResponse(200, orjson.dumps({"batchItemFailures": items}))


@dataclass
class DeliveryHarness:
    """A function that replies as the test says, a clock that waits advance, and the results."""

    reply: Callable[[list[int]], Reply]
    retry: Retry = field(default_factory=lambda: Retry(max_attempts=3, initial_backoff_s=1))
    stop_after: float = float("inf")
    time_to_finish: float = 0
    failing_writes: int = 0
    observe: Callable[[int], None] = lambda _: None
    accepts: RecordPredicate | None = None
    time: float = 0
    requests: list[list[int]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    status: DeliveryStatus = field(default_factory=DeliveryStatus)
    blocked: list[str | None] = field(default_factory=list)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def post(self, payload: Payload) -> HttpResponse:
        """Reply as the function does."""
        self.requests.append(offsets(payload.body))
        reply = self.reply(self.requests[-1])
        if isinstance(reply, Exception):
            raise reply
        return reply

    def write(self, dead_letters: Sequence[DeadLetter]) -> list[NotWritten]:
        """Accept dead letters, after failing some times."""
        if self.failing_writes:
            self.failing_writes -= 1
            return [NotWritten(dead_letter, "too busy") for dead_letter in dead_letters]
        self.dead_letters += dead_letters
        return []

    def wait_until_stop(self, seconds: float) -> bool:
        """Let time pass."""
        self.blocked.append(self.status.blocked_by)
        if seconds:
            self.waits.append(seconds)
        self.time += seconds
        return self.time >= self.stop_after

    def wait_until_abort(self, seconds: float) -> bool:
        """Let time pass, also after a stop."""
        return self.wait_until_stop(seconds) and self.time >= self.stop_after + self.time_to_finish

    def note(self, offset: int) -> None:
        """Record how far the delivery is."""
        self.done.append(offset)
        self.observe(offset)

    def deliver(self, *batch: int) -> "DeliveryHarness":
        """Deliver a batch of these offsets."""
        context = DeliveryContext(
            "trigger",
            self.retry,
            cloudevents_batch,
            self.accepts,
            self,
            AvailabilityLog("trigger", lambda: self.time),
            Metrics(self.registry).of("trigger"),
        )
        waits = Waits(self.wait_until_stop, self.wait_until_abort)
        deliverer = RetryingDeliverer(
            context, self, waits, self.status, clock=lambda: self.time, chance=lambda: 1
        )
        deliverer.deliver(records(batch), self.note)
        return self

    @property
    def dead_letter_offsets(self) -> list[int]:
        """The offsets of the dead letters."""
        return [dead_letter.record.offset() for dead_letter in self.dead_letters]


def replying(*replies: Reply) -> Callable[[list[int]], Reply]:
    """Give these replies one after the other, and accept all after them."""
    left = list(replies)
    return lambda _: left.pop(0) if left else ACCEPTED


def test_an_accepted_batch_is_processed() -> None:
    """One request, and all before the offset after the last record is processed."""
    harness = DeliveryHarness(replying()).deliver(4, 5, 9)
    assert harness.requests == [[4, 5, 9]]
    assert harness.done == [10]
    assert not harness.dead_letters


@pytest.mark.parametrize(
    "failure",
    [
        RETRYABLE,
        HttpResponse(404, b""),
        HttpResponse(408, b""),
        HttpResponse(409, b""),
        NoResponse("lost"),
        naming(99),
    ],
)
def test_a_failed_batch_is_retried_with_exponential_backoff(failure: Reply) -> None:
    """The same records are sent each time."""
    harness = DeliveryHarness(replying(failure, failure)).deliver(1, 2)
    assert harness.requests == [[1, 2]] * 3
    assert harness.waits == [1, 2]
    assert harness.done == [3]


@pytest.mark.parametrize(
    "away", [UNAVAILABLE, HttpResponse(429, b""), HttpResponse(502, b""), Unreachable("refused")]
)
def test_an_unavailable_function_makes_no_dead_letters(away: Reply) -> None:
    """Records wait as long as it lasts: these attempts do not count."""
    harness = DeliveryHarness(replying(*[away] * 100)).deliver(1, 2)
    assert harness.requests == [[1, 2]] * 101
    assert not harness.dead_letters
    assert max(harness.waits) == harness.retry.max_backoff_s


def test_an_unavailable_function_is_waited_for_up_to_the_maximum_age() -> None:
    """Then the whole batch is given up, and not a second later."""
    harness = DeliveryHarness(lambda _: UNAVAILABLE, Retry(max_age_s=30)).deliver(1, 2)
    assert harness.dead_letter_offsets == [1, 2]
    assert harness.time == 30
    assert harness.dead_letters[0].status == 503
    assert harness.dead_letters[0].attempts == len(harness.requests)


def test_retry_after_is_obeyed() -> None:
    """The function says how long to wait, if that is longer."""
    harness = DeliveryHarness(
        replying(HttpResponse(503, b"", "20"), HttpResponse(500, b"", "1"))
    ).deliver(1)
    assert harness.waits == [20, 2]


def test_a_rejected_record_is_a_dead_letter_at_once() -> None:
    """After a 4xx for a single record there is no retry, and the detail is kept."""
    harness = DeliveryHarness(lambda _: REJECTED).deliver(7)
    assert harness.requests == [[7]]
    [dead_letter] = harness.dead_letters
    assert (dead_letter.record.offset(), dead_letter.status, dead_letter.attempts) == (7, 400, 1)
    assert dead_letter.error == "HTTP 400: bad"
    assert harness.done == [8]


def test_a_rejected_batch_is_split_until_the_bad_record_is_alone() -> None:
    """The others are accepted, in their order."""
    harness = DeliveryHarness(lambda batch: REJECTED if 5 in batch else ACCEPTED).deliver(*range(8))
    assert harness.dead_letter_offsets == [5]
    assert [batch for batch in harness.requests if 5 not in batch] == [[0, 1, 2, 3], [4], [6, 7]]
    assert harness.done[-1] == 8
    assert not harness.waits


def test_a_failing_batch_is_split_only_after_its_attempts() -> None:
    """First all retries, then one attempt for each half; a single record is given up."""
    harness = DeliveryHarness(lambda batch: RETRYABLE if 2 in batch else ACCEPTED).deliver(1, 2)
    assert harness.requests == [[1, 2]] * 3 + [[1], [2]]
    assert harness.dead_letter_offsets == [2]
    assert harness.dead_letters[0].attempts == 4


def test_a_single_record_has_all_its_attempts() -> None:
    """`max_attempts` is the number of requests; after the last one it is given up."""
    harness = DeliveryHarness(lambda _: NoResponse("no answer within 30 s")).deliver(1)
    assert len(harness.requests) == 3
    assert (harness.dead_letters[0].status, harness.dead_letters[0].error) == (
        None,
        "no answer within 30 s",
    )


def test_a_failing_batch_that_is_too_old_is_split_without_further_waits() -> None:
    """The age ends retries as attempts do, and loses no good record."""
    retry = Retry(max_attempts=100, max_age_s=5, initial_backoff_s=1)
    harness = DeliveryHarness(lambda batch: RETRYABLE if 2 in batch else ACCEPTED, retry).deliver(
        1, 2, 3, 4
    )
    assert harness.dead_letter_offsets == [2]
    assert harness.time == 5


def test_rejected_records_of_an_accepted_batch_are_dead_letters() -> None:
    """`"retryable": false` is final at once, with the function's reason."""
    harness = DeliveryHarness(replying(naming(2, 4, retryable=False))).deliver(1, 2, 3, 4)
    assert harness.requests == [[1, 2, 3, 4]]
    assert [(each.record.offset(), each.status, each.error) for each in harness.dead_letters] == [
        (2, 200, "why"),
        (4, 200, "why"),
    ]
    assert harness.done == [5]


def test_retryable_records_are_sent_again_alone() -> None:
    """Accepted records are not sent again."""
    harness = DeliveryHarness(replying(naming(2, 4), naming(4))).deliver(1, 2, 3, 4)
    assert harness.requests == [[1, 2, 3, 4], [2, 4], [4]]
    assert harness.done == [2, 4, 5]
    assert not harness.dead_letters


def test_retryable_records_are_given_up_after_their_attempts() -> None:
    """A record that the function names again and again is a dead letter."""
    harness = DeliveryHarness(lambda batch: naming(2) if 2 in batch else ACCEPTED).deliver(1, 2)
    assert harness.requests == [[1, 2], [2], [2]]
    assert harness.dead_letter_offsets == [2]


def test_a_dead_letter_that_cannot_be_written_is_retried() -> None:
    """Its offset is not passed before it is written, however long that takes."""
    harness = DeliveryHarness(lambda _: REJECTED, failing_writes=50).deliver(1)
    assert len(harness.waits) == 50
    assert harness.dead_letter_offsets == [1]
    assert harness.done == [2]


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: UNAVAILABLE,
        lambda _: RETRYABLE,
        lambda _: naming(2),
        lambda _: HttpResponse(503, b"", "9"),
    ],
)
def test_a_wait_ends_when_the_delivery_is_stopped(reply: Callable[[list[int]], Reply]) -> None:
    """After that there is no attempt and no dead letter, and no offset is passed."""
    harness = DeliveryHarness(reply, stop_after=1)
    with pytest.raises(Stopped):
        harness.deliver(1, 2)
    assert harness.requests == [[1, 2]]
    assert not harness.dead_letters
    assert harness.done in ([], [2])


@pytest.mark.parametrize(
    ("replies", "requests"),
    [
        ([naming(1)], [[1]]),
        ([naming(1, 2), RETRYABLE, RETRYABLE], [[1, 2], [1, 2], [1], [2]]),
        ([naming(1), UNAVAILABLE], [[1], [1]]),
    ],
)
def test_a_stop_finishes_records_that_would_otherwise_be_repeated(
    replies: list[Reply], requests: list[list[int]]
) -> None:
    """If a later record is already accepted, the failed ones before it are still retried."""
    harness = DeliveryHarness(replying(*replies), stop_after=1, time_to_finish=60)
    harness.deliver(1, 2, 3)
    assert harness.requests == [[1, 2, 3], *requests]
    assert harness.done[-1] == 4


def test_a_stop_writes_a_dead_letter_before_an_accepted_record() -> None:
    """With retries as any other, and then the whole batch is processed."""
    harness = DeliveryHarness(
        lambda _: naming(1, retryable=False), failing_writes=2, stop_after=1, time_to_finish=60
    )
    assert harness.deliver(1, 2).dead_letter_offsets == [1]
    assert harness.done == [3]


def test_a_stop_leaves_a_limited_time_to_finish() -> None:
    """After it, the offset stays before the record that is left."""
    harness = DeliveryHarness(lambda batch: naming(batch[0]), stop_after=1, time_to_finish=1)
    with pytest.raises(Stopped):
        harness.deliver(1, 2)
    assert (harness.requests, harness.done) == ([[1, 2], [1]], [])


def test_a_stop_sends_no_further_records() -> None:
    """Records behind the finished slice are sent again by the next owner."""
    replies = replying(RETRYABLE, RETRYABLE, RETRYABLE, naming(0))
    harness = DeliveryHarness(replies, failing_writes=1, stop_after=4, time_to_finish=60)
    with pytest.raises(Stopped):
        harness.deliver(0, 1, 2, 3)
    assert harness.requests[3:] == [[0, 1]]
    assert (harness.dead_letter_offsets, harness.done) == ([0], [2])


def test_a_record_that_can_neither_be_delivered_nor_given_up_blocks() -> None:
    """The status says why, until its dead letter is written."""
    harness = DeliveryHarness(lambda _: REJECTED, failing_writes=2).deliver(1)
    assert harness.blocked == [None] + ["a dead letter cannot be written: too busy"] * 2
    assert harness.status.blocked_by is None
    assert set(DeliveryHarness(lambda _: RETRYABLE).deliver(1).blocked) == {None}


def test_an_unwritten_dead_letter_is_not_passed_at_a_stop() -> None:
    """The record is delivered again by the next owner of the partition."""
    harness = DeliveryHarness(lambda _: REJECTED, failing_writes=50, stop_after=3)
    with pytest.raises(Stopped):
        harness.deliver(1)
    assert harness.done == []


def test_an_aborted_request_is_no_attempt() -> None:
    """Not even the last one of a record: it was not the function that failed."""
    harness = DeliveryHarness(lambda _: Aborted(), retry=Retry(max_attempts=1))
    with pytest.raises(Stopped):
        harness.deliver(1)
    assert (harness.dead_letters, harness.done) == ([], [])


def test_dead_letters_tell_whether_the_function_was_unavailable() -> None:
    """A replay ends if it was, and goes on if it only hangs."""
    retry = Retry(max_age_s=1, max_attempts=100)
    for reply, is_unavailable in ((Unreachable("nobody"), True), (NoResponse("no answer"), False)):
        harness = DeliveryHarness(replying(*[reply] * 50), retry=retry).deliver(1)
        assert [(each.reason, each.is_unavailable) for each in harness.dead_letters] == [
            ("age", is_unavailable)
        ]


def test_records_processed_before_a_stop_count() -> None:
    """The accepted half of a split batch is not delivered again."""
    harness = DeliveryHarness(
        lambda batch: (
            {4: REJECTED, 2: ACCEPTED}.get(len(batch), UNAVAILABLE) if 0 in batch else UNAVAILABLE
        )
    )
    harness.stop_after = 1
    with pytest.raises(Stopped):
        harness.deliver(0, 1, 2, 3)
    assert harness.done[-1] == 2


def counted(harness: DeliveryHarness, name: str, **labels: str) -> float | None:
    """A counter of the harness's trigger."""
    labels = {"trigger": "trigger", **labels}
    return harness.registry.get_sample_value(f"kafka_trigger_{name}", labels)


def test_requests_are_counted_by_outcome() -> None:
    """And the retries, and the accepted records."""
    harness = DeliveryHarness(replying(UNAVAILABLE, RETRYABLE, naming(2))).deliver(1, 2, 3)
    outcomes = {
        outcome: counted(harness, "batches_total", outcome=outcome)
        for outcome in ("taken", "partial", "failed")
    }
    assert outcomes == {"taken": 1, "partial": 1, "failed": 2}
    assert counted(harness, "retries_total") == 3
    assert counted(harness, "records_taken_total") == 3
    assert counted(harness, "delivery_seconds_count") == 4


@pytest.mark.parametrize(
    ("reply", "retry", "reason"),
    [
        (REJECTED, Retry(), "refused"),
        (naming(1, retryable=False), Retry(), "refused"),
        (RETRYABLE, Retry(max_attempts=3), "attempts"),
        (naming(1), Retry(max_attempts=3), "attempts"),
        (RETRYABLE, Retry(max_age_s=5, max_attempts=99), "age"),
        (UNAVAILABLE, Retry(max_age_s=5), "age"),
    ],
)
def test_dead_letters_are_counted_by_reason(reply: Reply, retry: Retry, reason: str) -> None:
    """Once each, when they are written."""
    harness = DeliveryHarness(lambda _: reply, retry, failing_writes=2).deliver(1)
    reasons = {
        each: counted(harness, "dead_letters_total", reason=each)
        for each in ("refused", "attempts", "age")
    }
    assert reasons == {"refused": 0, "attempts": 0, "age": 0} | {reason: 1}
    assert counted(harness, "records_taken_total") == 0


def even(one: Record) -> bool:
    """A filter."""
    return one.offset() % 2 == 0


def test_records_that_no_filter_matches_are_skipped_and_counted() -> None:
    """The function never receives them; they are processed once all before them are."""
    harness = DeliveryHarness(replying(), accepts=even).deliver(1, 2, 3, 4, 5)
    assert harness.requests == [[2, 4]]
    assert harness.done == [6]
    assert counted(harness, "records_filtered_total") == 3
    assert counted(harness, "records_taken_total") == 2


def test_a_batch_without_matching_records_needs_no_request() -> None:
    """Its offsets are passed all the same."""
    harness = DeliveryHarness(replying(), accepts=even).deliver(1, 3, 5)
    assert harness.requests == []
    assert harness.done == [6]
    assert counted(harness, "batches_total", outcome="taken") == 0


def test_skipped_records_wait_for_those_before_them() -> None:
    """A record that is retried holds back the filtered ones behind it."""
    harness = DeliveryHarness(
        replying(REJECTED, ACCEPTED, RETRYABLE, ACCEPTED), accepts=even
    ).deliver(2, 3, 4, 5)
    assert harness.requests == [[2, 4], [2], [4], [4]]
    assert harness.done == [4, 6]


def test_the_reason_of_an_unavailable_function_is_always_the_age() -> None:
    """Even if the batch had all its attempts before it was split."""
    retry = Retry(max_attempts=1, max_age_s=5)
    harness = DeliveryHarness(
        lambda batch: RETRYABLE if len(batch) > 1 else UNAVAILABLE, retry
    ).deliver(1, 2)
    assert counted(harness, "dead_letters_total", reason="age") == 2


REPLIES: dict[str, Reply] = {
    "take": ACCEPTED,
    "refuse": REJECTED,
    "fail": RETRYABLE,
    "away": UNAVAILABLE,
    "broken": NoResponse("lost"),
    "unreachable": Unreachable("refused"),
}


@given(st.sets(st.integers(0, 40), min_size=1, max_size=12), st.data())
def test_each_record_is_accepted_or_a_dead_letter_before_it_is_passed(
    batch: set[int], data: st.DataObject
) -> None:
    """Whatever a function responds: nothing is lost, and no offset is passed too early."""
    settled: set[int] = set()
    in_order = sorted(batch)

    def reply(asked: list[int]) -> Reply:
        kind = data.draw(st.sampled_from([*REPLIES, "some"]))
        if kind == "some":
            failed = data.draw(st.sets(st.sampled_from(asked)))
            settled.update(set(asked) - failed)
            return naming(*failed, retryable=data.draw(st.booleans()))
        if kind == "take":
            settled.update(asked)
        return REPLIES[kind]

    def observe(offset: int) -> None:
        assert {each for each in batch if each < offset} <= settled | set(
            harness.dead_letter_offsets
        )

    harness = DeliveryHarness(reply, Retry(max_age_s=200), observe=observe)
    harness.deliver(*in_order)
    assert settled | set(harness.dead_letter_offsets) == batch
    assert settled.isdisjoint(harness.dead_letter_offsets)
    assert harness.done == sorted(harness.done)
    assert harness.done[-1] == in_order[-1] + 1
    assert all(request == sorted(request) for request in harness.requests)
