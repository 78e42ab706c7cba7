"""How long to wait before a process that died is restarted."""

from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Doubles from `initial_s` to `max_s` seconds; starts over after a run of `reset_after_s`."""

    initial_s: float = 0.1
    max_s: float = 10.0
    reset_after_s: float = 10.0
    _next_s: float = field(init=False, default=0.0)

    def delay(self, ran_s: float) -> float:
        """Return the seconds to wait after a run of `ran_s` seconds."""
        if ran_s >= self.reset_after_s:
            self._next_s = 0.0
        delay = self._next_s or self.initial_s
        self._next_s = min(delay * 2, self.max_s)
        return delay
