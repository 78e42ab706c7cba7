"""A client of a process' probes."""

from functools import partial
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families


class Probes:
    """The probes of a process."""

    def __init__(self, port: int, http: httpx.Client | None = None) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._get = http.get if http else partial(httpx.get, trust_env=False)

    def ask(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return a page's status and JSON; (0, {}) while nothing answers."""
        try:
            answer = self._get(f"{self._url}{path}")
        except httpx.TransportError:
            return 0, {}
        return answer.status_code, answer.json()

    def is_ready(self) -> bool:
        """Whether /ready answers 200."""
        return self.ask("/ready")[0] == 200

    def blocked(self) -> dict[str, str]:
        """Return why partitions of the trigger `test` are blocked, as /ready reports it."""
        triggers = self.ask("/ready")[1].get("triggers", {})
        blocked: dict[str, str] = triggers.get("test", {}).get("blocked", {})
        return blocked

    def value(self, name: str, /, **labels: str) -> float | None:
        """Return the value in /metrics of a name with at least these labels."""
        page = self._get(f"{self._url}/metrics").text
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return None
