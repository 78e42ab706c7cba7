"""The thread of one line."""

import threading
from datetime import UTC, datetime

import httpx

from local.cron.calls import keep_calling, post
from local.cron.crontab import Line
from local.cron.metrics import Metrics
from local.cron.watch import LineWatch


class LineThread(threading.Thread):
    """Keeps calling one line."""

    def __init__(
        self,
        line: Line,
        client: httpx.Client,
        timeout_s: float,
        metrics: Metrics,
        stopping: threading.Event,
    ) -> None:
        super().__init__(name=f"line-{line.name}", daemon=True)
        self.watch = LineWatch(line.name, timeout_s, self.is_alive)
        self._line = line
        self._client = client
        self._metrics = metrics
        self._stopping = stopping
        metrics.expect(line.name)

    def run(self) -> None:
        """Call the line whenever it is due, until told to stop."""
        keep_calling(self._line, self._call, lambda: datetime.now(UTC), self._stopping.wait)

    def _call(self, line: Line) -> None:
        self.watch.begin()
        status = post(self._client, line)
        self._metrics.called(line.name, status, self.watch.end())
