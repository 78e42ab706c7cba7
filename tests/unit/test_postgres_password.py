"""The password with which a connection to Postgres is made."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from pg8000.exceptions import InterfaceError
from pydantic import SecretStr

from functions.shared.errors import Unavailable
from functions.shared.postgres.connection import connect
from functions.shared.postgres.pool import Postgres
from functions.shared.postgres.settings import PostgresSettings
from functions.shared.settings.load import load

NO_TLS = b"N"
CLEARTEXT_WANTED = b"R" + (8).to_bytes(4) + (3).to_bytes(4)


class PasswordServer:
    """A Postgres that requests a password in plain text, then closes the connection."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(30)
        self.port: int = self._listener.getsockname()[1]
        self.received = b""
        self._thread = Thread(target=self._request_password)
        self._thread.start()

    def _request_password(self) -> None:
        with self._listener, self._listener.accept()[0] as caller:
            caller.settimeout(10)
            caller.recv(1000)
            caller.sendall(NO_TLS)
            caller.recv(1000)
            caller.sendall(CLEARTEXT_WANTED)
            self.received = caller.recv(1000)

    def variables(self) -> dict[str, str]:
        """Return the environment for this server, with this password variable."""
        url = f"postgresql://user@127.0.0.1:{self.port}/goalstream"
        return {"DATABASE_URL": url, "DATABASE_PASSWORD": "given"}

    def password(self) -> str:
        """Return the password of the client's message."""
        self._thread.join()
        return self.received[5:-1].decode()


@pytest.mark.parametrize(
    ("user", "given", "sent"),
    [
        ("user:in%20url", None, "in url"),
        ("user:in%20url", "given", "in url"),
        ("user", "given%20", "given%20"),
        ("user:", "given", "given"),
    ],
)
def test_the_password_of_the_url_comes_first(user: str, given: str | None, sent: str) -> None:
    """The other is for a URL without one; an error shows neither."""
    server = PasswordServer()
    url = f"postgresql://{user}@127.0.0.1:{server.port}/goalstream"
    with pytest.raises((InterfaceError, OSError)) as error:
        connect(url, 10, SecretStr(given) if given else None)
    assert server.password() == sent
    assert sent not in f"{error.value!r} {error.value}"


def test_a_function_uses_the_password_of_its_settings() -> None:
    """On the connection of its first statement."""
    server = PasswordServer()
    postgres = Postgres(load(PostgresSettings, server.variables()))
    with pytest.raises(Unavailable) as error:
        asyncio.run(postgres.run("SELECT 1"))
    postgres.close()
    assert server.password() == "given"
    assert "given" not in f"{error.value!r} {error.value.__cause__!r}"


def test_a_migration_uses_the_password_of_its_settings() -> None:
    """An error does not show it."""
    server = PasswordServer()
    done = subprocess.run(
        [sys.executable, "-m", "infra.migrate"],
        env={**os.environ, **server.variables()},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert server.password() == "given"
    assert done.returncode == 1
    assert "given" not in done.stderr


def test_a_migration_without_trusted_tls_fails_with_one_line() -> None:
    """Whatever goes wrong in the handshake."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            caller, _ = server.accept()
            with caller:
                caller.recv(1000)
                caller.sendall(b"S")

        thread = Thread(target=hang_up)
        thread.start()
        url = f"postgresql://u:p@127.0.0.1:{server.getsockname()[1]}/d?sslmode=require"
        done = subprocess.run(
            [sys.executable, "-m", "infra.migrate"],
            env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        thread.join()
    assert done.returncode == 1
    assert done.stderr.startswith("the database could not be migrated: ")
    assert "Traceback" not in done.stderr
