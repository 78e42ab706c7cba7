"""The log of a process, whose file stays open in that process."""

import shutil
from pathlib import Path


def rotate(log: Path) -> None:
    """Empty a log, and keep what it held beside it as `NAME.log.1`, in place of what was there.

    The file itself stays, as its writers hold it open, and add to its end wherever that is. A line
    that is written meanwhile may be lost.

    Raises:
        OSError: it cannot be kept, so it is not emptied either.
    """
    former = log.with_name(f"{log.name}.1")
    try:
        shutil.copyfile(log, former)
    except OSError:
        former.unlink(missing_ok=True)
        raise
    with log.open("r+b") as emptied:
        emptied.truncate(0)
