"""What a trigger does when the broker refuses its user or password."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from confluent_kafka import KafkaError

from local.kafka_trigger.config.load import ConfigError
from local.kafka_trigger.kafka.credentials import SaslCredentials
from tests.support.waiting import eventually

REFUSED = KafkaError(KafkaError._AUTHENTICATION)
OLD = {"sasl.username": "app", "sasl.password": "old", "group.id": "g"}


class Client:
    """Notes what it is told to sign in with, and by which thread."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.threads: set[int] = set()

    def set_sasl_credentials(self, user: str, password: str) -> None:
        """What the client is told."""
        self.told.append((user, password))
        self.threads.add(threading.get_ident())


class World:
    """Credentials of a client, and what is read for them; an exception is raised."""

    def __init__(self, **settings: str) -> None:
        self.now: Any = settings or OLD
        self.reads = 0
        self.client = Client()
        self.credentials = SaslCredentials(self.now, self.read)

    def read(self) -> Any:
        """What is read now."""
        self.reads += 1
        if isinstance(self.now, Exception):
            raise self.now
        return self.now

    def refuse(self) -> bool:
        """Refuse one attempt within a poll; returns whether the client is told anything after it.

        Within one the client is not to be told: its next callback would end the process.
        """
        told = len(self.client.told)
        self.credentials.on_error(REFUSED)
        assert len(self.client.told) == told
        self.credentials.update(self.client)
        return len(self.client.told) > told


def test_a_changed_password_is_taken_and_the_next_one_too() -> None:
    """Each time it is refused; the client is told by the thread that polls it."""
    world = World()
    for password in ("new", "newer"):
        world.now = OLD | {"sasl.password": password}
        eventually(world.refuse)
        assert world.client.told.pop() == ("app", password)
    assert world.reads == 2
    assert world.client.threads == {threading.get_ident()}


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (OLD, "the broker refuses our user or password"),
        ({"sasl.mechanism": "OAUTHBEARER"}, "the broker refuses our user or password"),
        (ConfigError("PASSWORD is wrong"), "cannot be read again: PASSWORD is wrong"),
    ],
)
def test_what_cannot_be_renewed_is_said(
    now: Any, said: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And never the password."""
    # Another test may have had the log repeat nothing for half a minute.
    monkeypatch.setattr(logging.getLogger("kafka"), "filters", [])
    world = World()
    world.now = now
    with caplog.at_level(logging.ERROR):
        eventually(lambda: world.refuse() or said in caplog.text)
    assert not world.client.told
    assert "old" not in caplog.text


def test_other_errors_read_nothing() -> None:
    """A broker that is away, for one."""
    world = World()
    world.credentials.on_error(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert world.reads == 0


def test_several_threads_may_poll_a_client() -> None:
    """As those of the partitions do the producer of dead letters."""
    world = World()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: world.credentials.on_error(REFUSED), range(2000)))
    world.now = OLD | {"sasl.password": "new"}
    eventually(world.refuse)
    assert world.client.told == [("app", "new")]
