"""The embedded stack warns before something runs out, and says when it has."""

import os
from pathlib import Path

import pytest

from local.stack.resources import (
    FULL_DISK,
    LARGE_BROKER,
    LOW_DISK,
    MIB,
    REPEAT_AFTER,
    BrokerMemory,
    DiskSpace,
    FullDiskErrors,
    ResourceMonitor,
    memory_of,
)
from local.stack.stack import LONGEST_LOG
from tests.support.pages import PAGES
from tests.support.waiting import eventually

PAGE = " ".join(PAGES["docs/operations.md"].split())


def disk_lines(*free: int) -> list[list[str]]:
    """What is said at each of these amounts of free bytes in turn."""
    said: list[str] = []
    amounts = iter(free)
    disk = DiskSpace(Path("/state"), said.append, lambda _: next(amounts))
    lines = []
    for _ in free:
        disk.check()
        lines.append([*said])
        said.clear()
    return lines


def test_a_disk_with_room_is_not_spoken_of() -> None:
    """Nor is one that stays as it was told."""
    assert disk_lines(LOW_DISK, 10 * LOW_DISK) == [[], []]
    assert [len(said) for said in disk_lines(LOW_DISK - 1, LOW_DISK - 2, LOW_DISK - 1)] == [1, 0, 0]


def test_a_disk_is_told_of_before_it_is_full_and_when_it_is() -> None:
    """A line each, with what is left and what that means; and when there is room again."""
    low, full, again = disk_lines(500 * MIB, FULL_DISK - 1, 3 * LOW_DISK)
    assert low == ["the disk is nearly full: 500 MiB left for /state"]
    assert len(full) == 1
    assert full[0].startswith("the disk is full: 31 MiB left for /state; Postgres cannot write")
    assert again == ["there is room on the disk again: 3.0 GiB for /state"]


def test_an_amount_that_wavers_about_the_bound_is_told_once() -> None:
    """Not with each file that comes and goes."""
    wavering = disk_lines(*[LOW_DISK - MIB, LOW_DISK + MIB] * 5)
    assert sum(map(len, wavering)) == 1


@pytest.fixture(name="log")
def _log(tmp_path: Path) -> Path:
    """A log with a line in it."""
    log = tmp_path / "postgres.log"
    log.write_text("LOG:  ready\n")
    return log


NO_SPACE = 'PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device\n'


def test_an_error_of_postgres_about_a_full_disk_is_told_with_its_log(log: Path) -> None:
    """Once, while it comes again and again; and anew after it has been well for a while."""
    said: list[str] = []
    errors = FullDiskErrors("Postgres", log, said.append)
    errors.check()
    assert said == []
    for _ in range(3):
        with log.open("a") as more:
            more.write(NO_SPACE)
        errors.check()
    assert said == [f"Postgres cannot write: No space left on device (see {log})"]
    for _ in range(REPEAT_AFTER):
        errors.check()
    with log.open("a") as more:
        more.write(NO_SPACE)
    errors.check()
    assert len(said) == 2


def test_a_log_that_began_anew_is_read_from_its_beginning(log: Path) -> None:
    """As after it was emptied; one that is not there yet holds nothing."""
    said: list[str] = []
    errors = FullDiskErrors("Postgres", log, said.append)
    log.write_text("LOG: x\n" * 100)
    errors.check()
    log.unlink()
    errors.check()
    log.write_text(NO_SPACE.replace("No space left on device", "Disk quota exceeded"))
    errors.check()
    assert said == [f"Postgres cannot write: Disk quota exceeded (see {log})"]


def test_a_broker_is_told_of_when_it_is_large_and_at_each_doubling() -> None:
    """And again after it was started anew."""
    said: list[str] = []
    large = LARGE_BROKER
    amounts = [0, large - 1, large, large + 1, 2 * large, 2 * large + 1, 9 * large, 10 * large]
    told = []
    used = iter([*amounts, 0, large])
    broker = BrokerMemory(lambda: next(used), said.append)
    for _ in range(len(amounts) + 2):
        broker.check()
        told.append(len(said))
    assert told == [0, 0, 1, 1, 2, 2, 3, 3, 3, 4]
    assert said[0].startswith("the broker holds 1.0 GiB of memory and gives none back")
    assert said[1].startswith("the broker holds 2.0 GiB")


def test_the_memory_of_a_process_is_that_of_the_system() -> None:
    """And none of a process that is not there."""
    assert MIB < memory_of(os.getpid()) < 64 * 1024 * MIB
    assert memory_of(None) == memory_of(2**30) == 0


def test_checks_go_on_until_they_are_closed_whatever_one_of_them_meets() -> None:
    """Even one that cannot look, as at a folder that has gone."""
    counted: list[int] = []

    def cannot() -> None:
        raise FileNotFoundError

    monitor = ResourceMonitor([cannot, lambda: counted.append(1)], interval_s=0.001)
    monitor.start()
    eventually(lambda: len(counted) > 3)
    monitor.close()
    until = len(counted)
    monitor.check()
    assert len(counted) == until + 1


def test_the_page_tells_the_bounds_that_the_code_has() -> None:
    """Of the disk, of the broker, and of the logs."""
    assert f"fewer than {LOW_DISK // MIB // 1024} GiB are free" in PAGE
    assert f"from {LARGE_BROKER // MIB // 1024} GiB on, and at each doubling" in PAGE
    assert f"A log of more than {LONGEST_LOG // MIB} MiB" in PAGE
