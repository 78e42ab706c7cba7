"""What a process says of itself at its probes."""

from functools import partial
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families


class Watched:
    """The probes of a process."""

    def __init__(self, port: int, http: httpx.Client | None = None) -> None:
        self._url = f"http://127.0.0.1:{port}"
        self._get = http.get if http else partial(httpx.get, trust_env=False)

    def ask(self, path: str) -> tuple[int, dict[str, Any]]:
        """A page's status, and its JSON; (0, {}) while nobody answers."""
        try:
            answer = self._get(f"{self._url}{path}")
        except httpx.TransportError:
            return 0, {}
        return answer.status_code, answer.json()

    def is_ready(self) -> bool:
        """Whether it says so."""
        return self.ask("/ready")[0] == 200

    def blocked(self) -> dict[str, str]:
        """Why partitions of the trigger `test` cannot go on, as /ready says it."""
        triggers = self.ask("/ready")[1].get("triggers", {})
        blocked: dict[str, str] = triggers.get("test", {}).get("blocked", {})
        return blocked

    def value(self, name: str, /, **labels: str) -> float | None:
        """What /metrics says of a name with these labels, and maybe others."""
        page = self._get(f"{self._url}/metrics").text
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return None
