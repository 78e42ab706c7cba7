"""Becomes a command that is stopped with its parent: `parent_death.py PARENT SIGNAL USER COMMAND…`.

On Linux the kernel sends SIGNAL to the process when PARENT dies, however it dies. USER is
`uid:gid`, or `-` for no change. It is a program and not a function between fork and exec, because
only exec is safe there in a parent that has threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent: str, signum: str, user: str, *command: str) -> None:
    """Replace this process by `command`."""
    libc = ctypes.CDLL(None)
    if user != "-":
        uid, gid = (int(part) for part in user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the change of user, which would reset it.
        libc.prctl(PR_SET_PDEATHSIG, int(signum))
    if os.getppid() != int(parent):
        sys.exit("the parent is gone")
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is what is wanted
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
