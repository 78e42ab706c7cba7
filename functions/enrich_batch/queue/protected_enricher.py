"""An enricher whose endpoint may be away, slow or dear: it is called no more than is sensible."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from time import monotonic

from functions.enrich_batch.enricher import (
    Draft,
    Enricher,
    EnricherUnavailable,
    EnrichmentRefused,
    EnrichmentTask,
)
from functions.enrich_batch.settings import EnrichBatchSettings
from functions.shared.observability.metrics import Counter, Gauge

THRESHOLD = 3  # failures in a row that open the circuit
LONGEST_PAUSE_S = 60.0
LONGEST_RETRY_AFTER_S = 3600.0
MINUTE_S = 60.0
PROBE_WAIT_S = 1.0  # until it is worth asking again while another call probes the endpoint

CALLS = Counter("enrich_batch_calls_total", "Calls of the enricher's endpoint.")
TOKENS = Counter("enrich_batch_tokens_total", "Tokens that the model used.")
IS_OPEN = Gauge("enrich_batch_circuit_open", "1 while the enricher's endpoint counts as away.")

log = logging.getLogger(__name__)


class ProtectedEnricher:
    """An enricher with a circuit breaker, a time-out, and a limit of calls a minute.

    The circuit opens after some failures in a row, or when the endpoint asks for a pause. After a
    pause, which grows while the endpoint is away, one call probes it. A process has one for all its
    invocations. `uniform` returns a random number between two.
    """

    def __init__(
        self,
        enricher: Enricher,
        settings: EnrichBatchSettings,
        clock: Callable[[], float] = monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.enricher = enricher
        self._timeout_s = settings.enrich_timeout_s
        self._backoff_s = settings.enrich_backoff_s
        self._calls: deque[float] = deque(maxlen=settings.enrich_max_per_minute)
        self._clock = clock
        self._uniform = uniform
        self._failures = 0  # in a row
        self._paused_until = self.answered_at = -float("inf")
        self._is_probed = False
        IS_OPEN.read = lambda: self.is_open

    @property
    def is_open(self) -> bool:
        """Whether the endpoint counts as away; it may be time to probe it."""
        return self._failures >= THRESHOLD or self._clock() < self._paused_until

    @property
    def is_away(self) -> bool:
        """Whether new highlights cannot count on a text: it is open, or its limit is reached."""
        return self.is_open or self.wait_s() > 0

    def wait_s(self) -> float:
        """Return the seconds until it may be called; 0 if it may be now."""
        now = self._clock()
        if self._is_probed:
            return PROBE_WAIT_S
        of_limit = 0.0
        if len(self._calls) == self._calls.maxlen != 0:
            of_limit = self._calls[0] + MINUTE_S - now
        return max(0.0, self._paused_until - now, of_limit)

    async def enrich(self, task: EnrichmentTask) -> Draft:
        """Return the texts of the enricher.

        Raises:
            EnricherUnavailable: the endpoint is away, or is not to be called now.
            EnrichmentRefused: there is no text that can be used.
        """
        if wait_s := self.wait_s():
            raise EnricherUnavailable("The enricher is not to be called now.", wait_s)
        self._calls.append(self._clock())
        CALLS.increment()
        is_probe = self._is_probed = self.is_open
        try:
            async with asyncio.timeout(self._timeout_s):
                draft = await self.enricher.enrich(task)
        except EnricherUnavailable as away:
            self._record_failure(away.retry_after_s)
            raise
        except TimeoutError:
            self._record_failure(None)
            raise EnricherUnavailable("The enricher's endpoint did not answer in time.") from None
        except EnrichmentRefused as refused:
            self._record_answer(refused.tokens)
            raise
        finally:
            if is_probe:
                self._is_probed = False
        self._record_answer(draft.tokens)
        return draft

    def _record_answer(self, tokens: int) -> None:
        TOKENS.increment(tokens)
        if self._failures >= THRESHOLD:
            log.info("the enricher's endpoint is back")
        self._failures = 0
        self.answered_at = self._clock()

    def _record_failure(self, retry_after_s: float | None) -> None:
        self._failures += 1
        if self._failures == THRESHOLD:
            log.warning("the enricher's endpoint is away")
        if retry_after_s:
            pause_s = min(retry_after_s, LONGEST_RETRY_AFTER_S)
        elif self._failures >= THRESHOLD:
            doublings = min(self._failures - THRESHOLD, 10)
            longest_s = min(self._backoff_s * 2**doublings, LONGEST_PAUSE_S)
            pause_s = self._uniform(0.0, longest_s)
        else:
            return
        self._paused_until = max(self._paused_until, self._clock() + pause_s)
