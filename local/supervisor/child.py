"""Starts a command as a child that does not outlive its parent."""

import os
import subprocess
import sys
from pathlib import Path

from local.supervisor.command import Command

PARENT_DEATH = Path(__file__).with_name("parent_death.py")


def spawn(command: Command, log: Path) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own; what it prints is added to its log.

    Linux ties the child to the thread that calls this, so the thread must live as long.

    Raises:
        OSError: the system cannot start a process.
    """
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - a command of the stack, and no shell
            _leashed(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=command.directory,
            env={**os.environ, **command.environment},
            start_new_session=True,
        )


def _leashed(command: Command) -> list[str]:
    user = f"{command.user.uid}:{command.user.gid}" if command.user else "-"
    leash = [sys.executable, "-I", "-S", str(PARENT_DEATH), str(os.getpid())]
    arguments = [str(argument) for argument in command.arguments]
    return [*leash, str(int(command.stop_signal)), user, *arguments]
