"""Whether a client still knows a broker that it could ask.

When its last broker tells it, on its way out, of a cluster without brokers, librdkafka 2.16 may
forget them all and never ask `bootstrap.servers` again; only a new process does.
See https://github.com/confluentinc/librdkafka/issues/5301.
"""

import orjson

LOOK_EVERY_MS = 5_000
LOOKS = 3  # it may know none for a moment, while it begins anew by itself
SOURCES = {"configured", "learned"}  # the others are librdkafka's own


class BrokersUnknown(Exception):
    """The client knows no broker any more, and looks for none."""


class BrokerWatchdog:
    """Takes a client's statistics, and says when they have been without a broker too long."""

    def __init__(self) -> None:
        self._looks_without = 0

    def note(self, statistics: str) -> None:
        """Take librdkafka's statistics, a JSON object."""
        brokers = orjson.loads(statistics)["brokers"].values()
        knows_one = any(each["source"] in SOURCES for each in brokers)
        self._looks_without = 0 if knows_one else self._looks_without + 1

    def check(self) -> None:
        """Raise BrokersForgotten when only a new process helps; a broker that is away is known."""
        if self._looks_without >= LOOKS:
            raise BrokersUnknown("the client knows no broker any more, and looks for none")
