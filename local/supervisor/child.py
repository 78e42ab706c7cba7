"""A child process that does not outlive its parent, and its log file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from local.supervisor.command import Command

PARENT_DEATH = Path(__file__).with_name("parent_death.py")


def spawn(command: Command, log: Path) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own; its output is appended to its log.

    Linux ties the child to the thread that calls this, so the thread must live as long.

    Raises:
        OSError: the system cannot start a process.
    """
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - a command of the stack, and no shell
            _arguments(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=command.directory,
            env={**os.environ, **command.environment},
            start_new_session=True,
        )


def rotate(log: Path) -> None:
    """Empty a log, and keep its content beside it as `NAME.log.1`, replacing the former one.

    The file itself stays, since the child holds it open and appends to it. A line that is written
    meanwhile may be lost.

    Raises:
        OSError: the content cannot be kept, so the log is not emptied either.
    """
    former = log.with_name(f"{log.name}.1")
    try:
        shutil.copyfile(log, former)
    except OSError:
        former.unlink(missing_ok=True)
        raise
    with log.open("r+b") as opened:
        opened.truncate(0)


def _arguments(command: Command) -> list[str]:
    user = f"{command.user.uid}:{command.user.gid}" if command.user else "-"
    wrapper = [sys.executable, "-I", "-S", str(PARENT_DEATH), str(os.getpid())]
    arguments = [str(argument) for argument in command.arguments]
    return [*wrapper, str(int(command.stop_signal)), user, *arguments]
