"""A stack on a disk that gets full prints warnings."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from functions.shared.postgres.connection import connect
from local.stack import StackError
from local.stack.stack import Stack, running_stack
from local.supervisor import NotReady
from tests.support.waiting import eventually

FILL = "CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small disk"
)


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 192 MiB, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ("-t", "tmpfs", "-o", "size=192m", "tmpfs")
    done = subprocess.run(["/bin/mount", *options, folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this root may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "--lazy", folder], check=True)


def fill(disk: Path, leave: int) -> Path:
    """Fill a disk with a file, except for some bytes."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - leave)
    return filler


def test_a_stack_warns_of_a_full_disk_and_recovers_when_there_is_space(small_disk: Path) -> None:
    """Before the disk is full and when Postgres fails; with free space all works again."""
    printed: list[str] = []
    with running_stack(small_disk / "state", environ={}, print_line=printed.append) as stack:
        assert printed[0].startswith("the disk is nearly full: ")
        with connect(stack.database_url, 20) as connection, pytest.raises(DatabaseError):
            connection.run(FILL)
        eventually(lambda: any("Postgres cannot write: No space" in line for line in printed))
        filler = fill(small_disk, 1024**2)
        eventually(lambda: any(line.startswith("the disk is full: ") for line in printed))
        filler.unlink()
        eventually(lambda: is_up(stack))


def is_up(stack: Stack) -> bool:
    """Whether Postgres answers."""
    try:
        with connect(stack.database_url, 5) as connection:
            return bool(connection.run("SELECT count(*) FROM highlights"))
    except (DatabaseError, InterfaceError, OSError):
        return False


def test_a_stack_with_a_full_disk_says_why_it_does_not_start(small_disk: Path) -> None:
    """The warning comes before the first error."""
    printed: list[str] = []
    fill(small_disk, 0)
    stack = running_stack(small_disk / "state", environ={}, print_line=printed.append)
    with pytest.raises((StackError, NotReady)), stack:
        pytest.fail("it has started")
    assert printed[0].startswith("the disk is full: 0 MiB left for ")
