"""Token buckets: a rate for each caller, and a burst."""

import pytest

from functions.shared.http.token_buckets import MAX_CALLERS, TokenBuckets


class Time:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = 86_400.1

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def test_a_burst_is_allowed_at_once_and_then_the_rate() -> None:
    """Three at once; at two a second there is one more after half a second, and only one."""
    time = Time()
    buckets = TokenBuckets(2, 3, time)
    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    time.now += 0.5
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0


@pytest.mark.parametrize("rate", [0.1, 0.3, 1, 3, 7, 1000])
def test_a_caller_that_waits_the_returned_time_gets_a_token(rate: float) -> None:
    """Every time, although floats are not exact."""
    time = Time()
    buckets = TokenBuckets(rate, 1, time)
    for _ in range(100):
        assert buckets.take("a") == 0
        time.now += buckets.take("a")


def test_a_bucket_never_has_more_than_the_burst() -> None:
    """Not even after a day without requests."""
    time = Time()
    buckets = TokenBuckets(2, 3, time)
    buckets.take("a")
    time.now += 86_400
    assert [buckets.take("a") > 0 for _ in range(4)] == [False, False, False, True]


def test_refused_requests_do_not_prolong_the_wait() -> None:
    """They take no token."""
    time = Time()
    buckets = TokenBuckets(1, 1, time)
    buckets.take("a")
    for _ in range(10):
        time.now += 0.09
        assert buckets.take("a") > 0
    time.now += 0.1
    assert buckets.take("a") == 0


def test_each_caller_has_its_own_bucket() -> None:
    """One that is empty leaves the others full."""
    buckets = TokenBuckets(1, 1, Time())
    assert buckets.take("a") == 0
    assert buckets.take("b") == 0
    assert buckets.take("a") > 0


def test_asking_for_the_wait_takes_no_token() -> None:
    """And does not make the caller remembered."""
    buckets = TokenBuckets(1, 1, Time())
    assert [buckets.seconds_to_token("a") for _ in range(3)] == [0, 0, 0]
    assert len(buckets) == 0
    buckets.take("a")
    assert buckets.seconds_to_token("a") == pytest.approx(1)


def test_the_tokens_that_remain_are_whole_ones() -> None:
    """With the seconds until there is one more."""
    time = Time()
    buckets = TokenBuckets(2, 3, time)
    assert buckets.remaining("a") == (3, 0.5)
    for left in (2, 1, 0):
        buckets.take("a")
        assert buckets.remaining("a") == (left, 0.5)
    time.now += 0.7
    left, seconds = buckets.remaining("a")
    assert left == 1
    assert seconds == pytest.approx(0.3)


def test_the_memory_for_callers_is_bounded() -> None:
    """However many callers there are."""
    buckets = TokenBuckets(1, 1, Time())
    for caller in range(2 * MAX_CALLERS):
        buckets.take(caller)
    assert len(buckets) == MAX_CALLERS


def test_the_least_recent_caller_is_forgotten() -> None:
    """Not the first one: a caller that keeps coming stays limited."""
    buckets = TokenBuckets(1, 1, Time(), max_callers=2)
    for caller in ("a", "b", "a", "c"):
        buckets.take(caller)
    assert buckets.take("a") > 0
    assert buckets.take("b") == 0
