"""How often the records in flight have been sent, and what keeps them from being settled."""

from local.kafka_trigger.delivering.delivery import Posts
from local.kafka_trigger.delivering.transport import HttpResponse
from local.kafka_trigger.envelopes.payload import Payload


class Attempts:
    """Counts the requests since a partition last went on; 0 while nothing is in flight.

    `blocked_by` is why it cannot go on by itself, None while it can.
    """

    def __init__(self) -> None:
        self.count = 0
        self.blocked_by: str | None = None

    def block(self, why: str | None) -> None:
        """Note why the partition cannot go on, or None if it can again."""
        self.blocked_by = why

    def progress(self) -> None:
        """Note that a record is settled."""
        self.count = 0


class CountedPosts:
    """A transport whose posts are counted."""

    def __init__(self, posts: Posts, attempts: Attempts) -> None:
        self._posts = posts
        self._attempts = attempts

    def post(self, payload: Payload) -> HttpResponse:
        """Post a payload."""
        self._attempts.count += 1
        return self._posts.post(payload)
