"""When a process that died is started again."""

from itertools import pairwise

from local.supervisor.backoff import Backoff


def test_a_process_that_dies_at_once_is_started_again_after_ever_longer_waits() -> None:
    """The wait doubles up to its longest, and stays there however often the process dies."""
    backoff = Backoff(initial_s=0.1, max_s=10)
    delays = [backoff.delay(ran_s=0.0) for _ in range(2000)]
    assert delays[:4] == [0.1, 0.2, 0.4, 0.8]
    assert all(later >= earlier for earlier, later in pairwise(delays))
    assert max(delays) == delays[-1] == 10


def test_a_process_that_ran_a_while_is_started_again_at_once() -> None:
    """After a long run, earlier failures do not count."""
    backoff = Backoff(initial_s=0.1, reset_after_s=10)
    for _ in range(5):
        backoff.delay(ran_s=1)
    assert backoff.delay(ran_s=10) == 0.1
    assert backoff.delay(ran_s=0) == 0.2
