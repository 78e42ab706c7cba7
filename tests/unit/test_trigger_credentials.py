"""A user and password that the broker rejects."""

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
    """Records the logins that it is given, and by which threads."""

    def __init__(self) -> None:
        self.logins: list[tuple[str, str]] = []
        self.threads: set[int] = set()

    def set_sasl_credentials(self, user: str, password: str) -> None:
        """Record the login."""
        self.logins.append((user, password))
        self.threads.add(threading.get_ident())


class CredentialsHarness:
    """Credentials of a client, and the settings that are read; an exception is raised."""

    def __init__(self, **settings: str) -> None:
        self.now: Any = settings or OLD
        self.reads = 0
        self.client = Client()
        self.credentials = SaslCredentials(self.now, self.read)

    def read(self) -> Any:
        """Return the settings as they are now."""
        self.reads += 1
        if isinstance(self.now, Exception):
            raise self.now
        return self.now

    def reject(self) -> bool:
        """Reject one login within a poll; returns whether the client is updated after the poll.

        Within the poll it must not be: its next callback would crash the process.
        """
        before = len(self.client.logins)
        self.credentials.on_error(REFUSED)
        assert len(self.client.logins) == before
        self.credentials.update(self.client)
        return len(self.client.logins) > before


def test_a_changed_password_is_used_and_the_next_one_too() -> None:
    """After each rejection; the client is updated by the thread that polls it."""
    harness = CredentialsHarness()
    for password in ("new", "newer"):
        harness.now = OLD | {"sasl.password": password}
        eventually(harness.reject)
        assert harness.client.logins.pop() == ("app", password)
    assert harness.reads == 2
    assert harness.client.threads == {threading.get_ident()}


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (OLD, "the broker refuses our user or password"),
        ({"sasl.mechanism": "OAUTHBEARER"}, "the broker refuses our user or password"),
        (ConfigError("PASSWORD is wrong"), "cannot be read again: PASSWORD is wrong"),
    ],
)
def test_credentials_that_cannot_be_renewed_are_logged(
    now: Any, message: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And never the password."""
    # Another test may have had the log repeat nothing for half a minute.
    monkeypatch.setattr(logging.getLogger("kafka"), "filters", [])
    harness = CredentialsHarness()
    harness.now = now
    with caplog.at_level(logging.ERROR):
        eventually(lambda: harness.reject() or message in caplog.text)
    assert not harness.client.logins
    assert "old" not in caplog.text


def test_other_errors_do_not_read_the_settings() -> None:
    """For example an unreachable broker."""
    harness = CredentialsHarness()
    harness.credentials.on_error(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert harness.reads == 0


def test_several_threads_may_poll_a_client() -> None:
    """As the workers poll the producer of dead letters."""
    harness = CredentialsHarness()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: harness.credentials.on_error(REFUSED), range(2000)))
    harness.now = OLD | {"sasl.password": "new"}
    eventually(harness.reject)
    assert harness.client.logins == [("app", "new")]
