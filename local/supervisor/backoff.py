"""How long to wait before a process that died is started again."""

from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Doubles from `first` to `longest` seconds, and anew after a run of `forgets_after`."""

    first: float = 0.1
    longest: float = 10.0
    forgets_after: float = 10.0
    _next: float = field(init=False, default=0.0)

    def delay(self, ran: float) -> float:
        """Seconds to wait after a run of `ran` seconds."""
        if ran >= self.forgets_after:
            self._next = 0.0
        delay = self._next or self.first
        self._next = min(delay * 2, self.longest)
        return delay
