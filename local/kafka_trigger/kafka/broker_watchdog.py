"""Detects a client that no longer knows any broker.

When its last broker announces, while it shuts down, a cluster without brokers, librdkafka 2.16 may
forget them all and never ask `bootstrap.servers` again; only a new process does.
See https://github.com/confluentinc/librdkafka/issues/5301.
"""

import orjson

STATISTICS_EVERY_MS = 5_000
MISSES = 3  # it may know no broker for a moment, while it bootstraps again by itself
BROKER_SOURCES = {"configured", "learned"}  # the others are librdkafka's own


class BrokersUnknown(Exception):
    """The client knows no broker any more, and looks for none."""


class BrokerWatchdog:
    """Reads a client's statistics, and reports when they have lacked a broker for too long."""

    def __init__(self) -> None:
        self._misses = 0

    def read_statistics(self, statistics: str) -> None:
        """Read librdkafka's statistics, a JSON object."""
        brokers = orjson.loads(statistics)["brokers"].values()
        knows_one = any(each["source"] in BROKER_SOURCES for each in brokers)
        self._misses = 0 if knows_one else self._misses + 1

    def check(self) -> None:
        """Raise BrokersUnknown when only a new process helps; an unreachable broker is known."""
        if self._misses >= MISSES:
            raise BrokersUnknown("the client knows no broker any more, and looks for none")
