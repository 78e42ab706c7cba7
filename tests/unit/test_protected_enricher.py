"""An endpoint that is away is left alone, probed, and found again; calls are bounded."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from functions.enrich_batch.enricher import EnricherUnavailable, EnrichmentRefused, EnrichmentTask
from functions.enrich_batch.queue.protected_enricher import (
    IS_OPEN,
    LONGEST_PAUSE_S,
    LONGEST_RETRY_AFTER_S,
    THRESHOLD,
    TOKENS,
    ProtectedEnricher,
)
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.contract.highlight import Facts
from functions.shared.settings.load import load
from tests.support.fakes.endpoint import TOKENS as TOKENS_OF_A_CALL
from tests.support.fakes.endpoint import FakeEndpoint

TASK = EnrichmentTask(Facts("goal"))


class Circuit:
    """An endpoint behind its circuit breaker, whose pauses are the longest that chance allows."""

    def __init__(self, uniform: Callable[[float, float], float] = max, **settings: str) -> None:
        self.now = 0.0
        self.endpoint = FakeEndpoint()
        environ = {"DATABASE_URL": "postgresql://", **settings}
        self.protected = ProtectedEnricher(
            self.endpoint, load(EnrichBatchSettings, environ), lambda: self.now, uniform
        )

    def call(self, error: Exception | None = None) -> str:
        """Call it once; return how that ended."""
        self.endpoint.behave = lambda _: _raise(error) if error else None
        calls = len(self.endpoint.tasks)
        try:
            asyncio.run(self.protected.enrich(TASK))
        except EnricherUnavailable:
            return "failed" if len(self.endpoint.tasks) > calls else "not called"
        return "answered"

    def break_it(self) -> None:
        """Have so many calls fail in a row that the circuit opens."""
        assert [self.call(EnricherUnavailable("500")) for _ in range(THRESHOLD)] == [
            "failed"
        ] * THRESHOLD


def _raise(error: Exception) -> None:
    raise error


def test_some_failures_in_a_row_open_the_circuit() -> None:
    """Not before, and an answer between them starts the count anew."""
    circuit = Circuit()
    for _ in range(THRESHOLD - 1):
        circuit.call(EnricherUnavailable("500"))
    assert circuit.call() == "answered"
    circuit.break_it()
    assert circuit.protected.is_open
    assert circuit.call() == "not called"
    assert IS_OPEN.read() == 1


def test_a_refusal_is_an_answer() -> None:
    """The endpoint is there, whatever it says; its tokens count."""
    circuit, counted = Circuit(), TOKENS.value
    for _ in range(2 * THRESHOLD):
        with pytest.raises(EnrichmentRefused):
            circuit.call(EnrichmentRefused("no", tokens=3))
    assert not circuit.protected.is_open
    assert TOKENS.value - counted == 2 * THRESHOLD * 3


def test_one_call_probes_an_endpoint_that_was_away() -> None:
    """After the pause; all others wait for what it finds."""
    circuit = Circuit(ENRICH_BACKOFF_S="2")
    circuit.break_it()
    circuit.now += 2
    assert circuit.protected.wait_s() == 0

    async def call_thrice() -> list[Any]:
        circuit.endpoint.behave = lambda _: None
        calls = (circuit.protected.enrich(TASK) for _ in range(3))
        return await asyncio.gather(*calls, return_exceptions=True)

    ends = asyncio.run(call_thrice())
    assert [isinstance(end, EnricherUnavailable) for end in ends] == [False, True, True]
    assert not circuit.protected.is_away
    assert circuit.call() == "answered"


def test_pauses_grow_while_the_endpoint_stays_away() -> None:
    """Twice as long each time, up to a limit."""
    circuit = Circuit(ENRICH_BACKOFF_S="2")
    circuit.break_it()
    pauses = []
    for _ in range(7):
        pauses.append(circuit.protected.wait_s())
        circuit.now += pauses[-1]
        assert circuit.call(EnricherUnavailable("500")) == "failed"
    assert pauses == [2, 4, 8, 16, 32, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_a_pause_has_full_jitter() -> None:
    """It is any time from nothing to the longest: processes do not come back together."""
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return 0.5

    circuit = Circuit(uniform, ENRICH_BACKOFF_S="2")
    circuit.break_it()
    assert (asked, circuit.protected.wait_s()) == ([(0, 2)], 0.5)


@pytest.mark.parametrize(("asked_s", "waited_s"), [(7, 7), (100_000, LONGEST_RETRY_AFTER_S)])
def test_the_pause_that_an_endpoint_asks_for_is_made(asked_s: float, waited_s: float) -> None:
    """At once, to the end, whatever other calls have found meanwhile."""
    circuit = Circuit()

    async def one_fails_and_one_succeeds() -> None:
        ends = iter([EnricherUnavailable("429", asked_s), None])

        def behave(_: EnrichmentTask) -> None:
            if end := next(ends):
                raise end

        circuit.endpoint.behave = behave
        calls = (circuit.protected.enrich(TASK) for _ in range(2))
        await asyncio.gather(*calls, return_exceptions=True)

    asyncio.run(one_fails_and_one_succeeds())
    assert circuit.protected.wait_s() == waited_s
    circuit.now += waited_s - 0.1
    assert circuit.call() == "not called"
    circuit.now += 0.2
    assert circuit.call() == "answered"


def test_a_call_that_hangs_is_a_failure() -> None:
    """After its time-out."""
    circuit = Circuit(ENRICH_TIMEOUT_S="0.05")
    circuit.endpoint.behave = lambda _: asyncio.get_running_loop().create_future()
    for _ in range(THRESHOLD):
        with pytest.raises(EnricherUnavailable):
            asyncio.run(circuit.protected.enrich(TASK))
    assert circuit.protected.is_open


def test_a_probe_that_is_cancelled_lets_the_next_one_probe() -> None:
    """Otherwise the endpoint would count as away for ever."""
    circuit = Circuit(ENRICH_BACKOFF_S="2")
    circuit.break_it()
    circuit.now += 2

    async def cancel() -> None:
        circuit.endpoint.behave = lambda _: asyncio.get_running_loop().create_future()
        call = asyncio.ensure_future(circuit.protected.enrich(TASK))
        await asyncio.sleep(0.01)
        assert circuit.protected.wait_s() > 0
        call.cancel()
        await asyncio.wait([call])

    asyncio.run(cancel())
    assert circuit.call() == "answered"


def test_calls_are_bounded_within_any_minute() -> None:
    """However they are spread; tokens are counted."""
    circuit, counted = Circuit(ENRICH_MAX_PER_MINUTE="5"), TOKENS.value
    called_at = []
    while circuit.now < 300:
        if circuit.call() == "answered":
            called_at.append(circuit.now)
        circuit.now += 3.7
    for began in called_at:
        assert sum(began <= at < began + 60 for at in called_at) <= 5
    assert len(called_at) >= 25
    assert TOKENS.value - counted == len(called_at) * TOKENS_OF_A_CALL
    assert not circuit.protected.is_open


def test_of_several_pauses_that_are_asked_for_the_longest_is_made() -> None:
    """Whichever comes last."""
    circuit = Circuit()

    async def two_fail() -> None:
        waits = iter([30, 5])

        def behave(_: EnrichmentTask) -> None:
            raise EnricherUnavailable("429", next(waits))

        circuit.endpoint.behave = behave
        calls = (circuit.protected.enrich(TASK) for _ in range(2))
        await asyncio.gather(*calls, return_exceptions=True)

    asyncio.run(two_fail())
    assert circuit.protected.wait_s() == 30
