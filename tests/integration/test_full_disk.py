"""The embedded stack on a disk that gets full: its own output says so."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from functions.shared.postgres.connection import connect
from local.stack.errors import StackError
from local.stack.stack import Stack
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
    """A file that takes all but some bytes of a disk."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - leave)
    return filler


def test_a_stack_on_a_small_disk_warns_says_when_it_is_full_and_goes_on(small_disk: Path) -> None:
    """Before the disk is full, when Postgres meets it, and with room again all works again."""
    said: list[str] = []
    with Stack(small_disk / "state", environ={}, say=said.append) as stack:
        assert said[0].startswith("the disk is nearly full: ")
        with connect(stack.database_url, 20) as connection, pytest.raises(DatabaseError):
            connection.run(FILL)
        eventually(lambda: any("Postgres cannot write: No space" in line for line in said))
        filler = fill(small_disk, 1024**2)
        eventually(lambda: any(line.startswith("the disk is full: ") for line in said))
        filler.unlink()
        eventually(lambda: answers(stack))


def answers(stack: Stack) -> bool:
    """Whether Postgres does its work."""
    try:
        with connect(stack.database_url, 5) as connection:
            return bool(connection.run("SELECT count(*) FROM highlights"))
    except (DatabaseError, InterfaceError, OSError):
        return False


def test_a_stack_that_finds_its_disk_full_says_why_it_does_not_start(small_disk: Path) -> None:
    """Before whatever fails first."""
    said: list[str] = []
    fill(small_disk, 0)
    stack = Stack(small_disk / "state", environ={}, say=said.append)
    with pytest.raises((StackError, NotReady)), stack:
        pytest.fail("it has started")
    assert said[0].startswith("the disk is full: 0 MiB left for ")
