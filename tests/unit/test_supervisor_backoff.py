"""When a process that died is started again."""

from itertools import pairwise

from local.supervisor.backoff import Backoff


def test_a_process_that_dies_at_once_is_started_again_after_ever_longer_waits() -> None:
    """The wait doubles up to its longest, and stays there however often the process dies."""
    backoff = Backoff(first=0.1, longest=10)
    delays = [backoff.delay(ran=0.0) for _ in range(2000)]
    assert delays[:4] == [0.1, 0.2, 0.4, 0.8]
    assert all(later >= earlier for earlier, later in pairwise(delays))
    assert max(delays) == delays[-1] == 10


def test_a_process_that_ran_a_while_is_started_again_at_once() -> None:
    """A long run is forgiven what was before it."""
    backoff = Backoff(first=0.1, forgets_after=10)
    for _ in range(5):
        backoff.delay(ran=1)
    assert backoff.delay(ran=10) == 0.1
    assert backoff.delay(ran=0) == 0.2
