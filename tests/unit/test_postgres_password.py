"""With which password a connection to Postgres is made."""

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


class Asker:
    """A Postgres that asks for a password in plain text, and hangs up once it has it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(30)
        self.port: int = self._listener.getsockname()[1]
        self.heard = b""
        self._thread = Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        with self._listener, self._listener.accept()[0] as caller:
            caller.settimeout(10)
            caller.recv(1000)
            caller.sendall(NO_TLS)
            caller.recv(1000)
            caller.sendall(CLEARTEXT_WANTED)
            self.heard = caller.recv(1000)

    def variables(self) -> dict[str, str]:
        """Return the environment that leads here, with a password of its own."""
        url = f"postgresql://user@127.0.0.1:{self.port}/goalstream"
        return {"DATABASE_URL": url, "DATABASE_PASSWORD": "given"}

    def password(self) -> str:
        """Return what was answered, without the kind, the length and the end of the message."""
        self._thread.join()
        return self.heard[5:-1].decode()


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
    """The other serves a URL that has none, as it is; an error shows neither."""
    asker = Asker()
    url = f"postgresql://{user}@127.0.0.1:{asker.port}/goalstream"
    with pytest.raises((InterfaceError, OSError)) as error:
        connect(url, 10, SecretStr(given) if given else None)
    assert asker.password() == sent
    assert sent not in f"{error.value!r} {error.value}"


def test_a_function_brings_the_password_of_its_settings() -> None:
    """To the connection that its first statement makes."""
    asker = Asker()
    postgres = Postgres(load(PostgresSettings, asker.variables()))
    with pytest.raises(Unavailable) as error:
        asyncio.run(postgres.run("SELECT 1"))
    postgres.close()
    assert asker.password() == "given"
    assert "given" not in f"{error.value!r} {error.value.__cause__!r}"


def test_a_migration_brings_the_password_of_its_settings() -> None:
    """And does not say it when it fails."""
    asker = Asker()
    done = subprocess.run(
        [sys.executable, "-m", "infra.migrate"],
        env={**os.environ, **asker.variables()},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert asker.password() == "given"
    assert done.returncode == 1
    assert "given" not in done.stderr


def test_a_migration_that_finds_no_tls_to_trust_says_so_in_a_line() -> None:
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
