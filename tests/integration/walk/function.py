"""A function that follows a script, can be stopped and restarted, and records its actions."""

import threading
import time
from functools import partial
from itertools import count

import orjson

from tests.integration.walk.history import Delivered, History
from tests.integration.walk.responses import respond
from tests.integration.walk.script import Action, Script
from tests.support.servers.function_server import FunctionServer, Reply, Request

TIMEOUT_S = 1.0  # the trigger's, unless a test needs another
TOO_LATE_S = 1.3
CERTAINLY_IN_TIME_S = 0.5  # on a busy machine, who knows of more


class Function:
    """Replies in a server's place; each instance of the trigger has a path of its own there.

    Each request takes `takes_s`. Records whose data say `poison` are never accepted.
    """

    def __init__(
        self, server: FunctionServer, script: Script, history: History, takes_s: float = 0.05
    ) -> None:
        self._server = server
        self._script = script
        self._history = history
        self._takes_s = takes_s
        self._numbers = count()
        self._lock = threading.Lock()
        self._dead = threading.Event()
        server.reply = partial(self._reply, self._dead)

    def url(self, instance: str) -> str:
        """Return the URL for an instance of the trigger."""
        return f"{self._server.url}{instance}"

    def die(self) -> None:
        """Stop listening, and drop the requests in flight."""
        self._dead.set()
        self._server.__exit__(None, None, None)

    close = die

    def come_back(self) -> None:
        """Listen again, on the same port."""
        self._dead = threading.Event()
        reply = partial(self._reply, self._dead)
        self._server = FunctionServer(reply, self._server.port).__enter__()

    def _reply(self, dead: threading.Event, request: Request) -> Reply:
        """Do what the script says, unless the function was stopped; then record nothing."""
        if dead.is_set():
            return Reply(None)
        began = time.monotonic()
        events = orjson.loads(request.body)
        offsets = tuple(int(event["kafkaoffset"]) for event in events)
        poison = frozenset(int(each["kafkaoffset"]) for each in events if each["data"]["poison"])
        instance, partition = request.path.strip("/"), int(events[0]["kafkapartition"])
        with self._lock:
            delivery = Delivered(next(self._numbers), instance, partition, offsets)
            self._history.add(delivery)
            action = self._script.next(partition)
        takes_s = TOO_LATE_S if action is Action.ACCEPT_TOO_LATE else self._takes_s
        if dead.wait(takes_s):
            return Reply(None)
        fact, reply = respond(action, delivery, events[0]["kafkatopic"], poison)
        if time.monotonic() - began > takes_s + CERTAINLY_IN_TIME_S:
            fact = fact._replace(failed=frozenset(offsets), clear=False)
        self._history.add(fact)
        return reply
