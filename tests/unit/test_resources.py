"""The warnings of a stack about its disk and memory."""

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
from local.stack.stack import MAX_LOG_BYTES
from tests.support.pages import PAGES
from tests.support.waiting import eventually

PAGE = " ".join(PAGES["docs/operations.md"].split())


def disk_lines(*free: int) -> list[list[str]]:
    """The lines printed at each of these amounts of free bytes in turn."""
    printed: list[str] = []
    amounts = iter(free)
    disk = DiskSpace(Path("/state"), printed.append, lambda _: next(amounts))
    lines = []
    for _ in free:
        disk.check()
        lines.append([*printed])
        printed.clear()
    return lines


def test_a_disk_with_room_prints_nothing() -> None:
    """Nor does one that stays nearly full print again."""
    assert disk_lines(LOW_DISK, 10 * LOW_DISK) == [[], []]
    assert [len(printed) for printed in disk_lines(LOW_DISK - 1, LOW_DISK - 2, LOW_DISK - 1)] == [
        1,
        0,
        0,
    ]


def test_each_change_of_a_nearly_full_disk_prints_a_line() -> None:
    """With the bytes that are left, and the consequence."""
    low, full, again = disk_lines(500 * MIB, FULL_DISK - 1, 3 * LOW_DISK)
    assert low == ["the disk is nearly full: 500 MiB left for /state"]
    assert len(full) == 1
    assert full[0].startswith("the disk is full: 31 MiB left for /state; Postgres cannot write")
    assert again == ["there is room on the disk again: 3.0 GiB for /state"]


def test_an_amount_that_varies_about_the_limit_prints_one_line() -> None:
    """Not one for each file that is written and deleted."""
    wavering = disk_lines(*[LOW_DISK - MIB, LOW_DISK + MIB] * 5)
    assert sum(map(len, wavering)) == 1


@pytest.fixture(name="log")
def _log(tmp_path: Path) -> Path:
    """A log with a line in it."""
    log = tmp_path / "postgres.log"
    log.write_text("LOG:  ready\n")
    return log


NO_SPACE = 'PANIC:  could not write to file "pg_wal/xlogtemp.7": No space left on device\n'


def test_an_error_of_postgres_about_a_full_disk_is_printed_with_its_log(log: Path) -> None:
    """Once while it repeats, and again after a while without it."""
    printed: list[str] = []
    errors = FullDiskErrors("Postgres", log, printed.append)
    errors.check()
    assert printed == []
    for _ in range(3):
        with log.open("a") as more:
            more.write(NO_SPACE)
        errors.check()
    assert printed == [f"Postgres cannot write: No space left on device (see {log})"]
    for _ in range(REPEAT_AFTER):
        errors.check()
    with log.open("a") as more:
        more.write(NO_SPACE)
    errors.check()
    assert len(printed) == 2


def test_a_rotated_log_is_read_from_its_beginning(log: Path) -> None:
    """A log that does not exist yet is empty."""
    printed: list[str] = []
    errors = FullDiskErrors("Postgres", log, printed.append)
    log.write_text("LOG: x\n" * 100)
    errors.check()
    log.unlink()
    errors.check()
    log.write_text(NO_SPACE.replace("No space left on device", "Disk quota exceeded"))
    errors.check()
    assert printed == [f"Postgres cannot write: Disk quota exceeded (see {log})"]


def test_a_large_broker_is_reported_and_again_at_each_doubling() -> None:
    """And again after a restart."""
    printed: list[str] = []
    large = LARGE_BROKER
    amounts = [0, large - 1, large, large + 1, 2 * large, 2 * large + 1, 9 * large, 10 * large]
    counts = []
    used = iter([*amounts, 0, large])
    broker = BrokerMemory(lambda: next(used), printed.append)
    for _ in range(len(amounts) + 2):
        broker.check()
        counts.append(len(printed))
    assert counts == [0, 0, 1, 1, 2, 2, 3, 3, 3, 4]
    assert printed[0].startswith("the broker holds 1.0 GiB of memory and gives none back")
    assert printed[1].startswith("the broker holds 2.0 GiB")


def test_the_memory_of_a_process_is_read_from_the_system() -> None:
    """It is 0 for a process that does not run."""
    assert MIB < memory_of(os.getpid()) < 64 * 1024 * MIB
    assert memory_of(None) == memory_of(2**30) == 0


def test_checks_go_on_within_the_context_even_if_one_fails() -> None:
    """As at a folder that is gone."""
    counted: list[int] = []

    def cannot() -> None:
        raise FileNotFoundError

    monitor = ResourceMonitor([cannot, lambda: counted.append(1)], interval_s=0.001)
    with monitor:
        eventually(lambda: len(counted) > 3)
    until = len(counted)
    monitor.check()
    assert len(counted) == until + 1


def test_the_readme_has_the_limits_of_the_code() -> None:
    """Of the disk, of the broker, and of the logs."""
    assert f"fewer than {LOW_DISK // MIB // 1024} GiB are free" in PAGE
    assert f"from {LARGE_BROKER // MIB // 1024} GiB on, and at each doubling" in PAGE
    assert f"A log of more than {MAX_LOG_BYTES // MIB} MiB" in PAGE
