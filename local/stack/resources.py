"""Warnings of a running stack: the disk gets full, or the broker takes much memory."""

import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

PrintLine = Callable[[str], None]
Check = Callable[[], None]

INTERVAL_S = 5.0
MIB = 1024**2
LOW_DISK = 1024 * MIB  # bytes; some hours of what a busy stack writes
FULL_DISK = 32 * MIB  # bytes; Postgres needs 16 MiB for the next segment of its log alone
LARGE_BROKER = 1024 * MIB  # bytes of resident memory, and again at each doubling
NO_SPACE = (b"No space left on device", b"Disk quota exceeded")
REPEAT_AFTER = 12  # checks without such an error, before the next one is printed


class DiskSpace:
    """Warns when the disk of a folder is nearly full and full, and reports that it no longer is.

    `free` returns the free bytes of the disk.
    """

    def __init__(
        self, folder: Path, print_line: PrintLine, free: Callable[[Path], int] | None = None
    ) -> None:
        self._folder = folder
        self._print_line = print_line
        self._free = free or (lambda folder: shutil.disk_usage(folder).free)
        self._level = 0

    def check(self) -> None:
        """Print a line if the state has changed since the last check."""
        free = self._free(self._folder)
        level = 2 if free < FULL_DISK else 1 if free < LOW_DISK else 0
        # Once low, it has to get clearly better, or each megabyte would print a line.
        if level == 0 and self._level and free < 1.25 * LOW_DISK:
            level = 1
        if level > self._level:
            self._print_line(self._warning(level, free))
        elif level == 0 < self._level:
            self._print_line(f"there is room on the disk again: {_size(free)} for {self._folder}")
        self._level = level

    def _warning(self, level: int, free: int) -> str:
        if level == 1:
            return f"the disk is nearly full: {_size(free)} left for {self._folder}"
        return (
            f"the disk is full: {_size(free)} left for {self._folder}; Postgres cannot write, and"
            " no highlight is made or changed until there is room"
        )


class FullDiskErrors:
    """Warns when a process logs that the disk, or its quota of it, is full."""

    def __init__(self, name: str, log: Path, print_line: PrintLine) -> None:
        self._name = name
        self._log = log
        self._print_line = print_line
        self._read_to = 0
        self._quiet_checks = REPEAT_AFTER

    def check(self) -> None:
        """Print a line for new errors, but not again while they go on."""
        with suppress(FileNotFoundError), self._log.open("rb") as log:
            if log.seek(0, 2) < self._read_to:  # it was rotated
                self._read_to = 0
            log.seek(self._read_to)
            new = log.read()
            self._read_to += len(new)
            self._handle(next((each.decode() for each in NO_SPACE if each in new), None))

    def _handle(self, error: str | None) -> None:
        if error is None:
            self._quiet_checks += 1
            return
        if self._quiet_checks >= REPEAT_AFTER:
            self._print_line(f"{self._name} cannot write: {error} (see {self._log})")
        self._quiet_checks = 0


class BrokerMemory:
    """Warns when the broker takes much memory: it keeps all records.

    `used` returns the bytes of its resident memory, 0 while it does not run.
    """

    def __init__(
        self, used: Callable[[], int], print_line: PrintLine, large: int = LARGE_BROKER
    ) -> None:
        self._used = used
        self._print_line = print_line
        self._large = large
        self._next = large

    def check(self) -> None:
        """Print a line when it exceeds `large`, and at each doubling."""
        used = self._used()
        if used < self._large / 2:  # it was restarted
            self._next = self._large
        elif used >= self._next:
            self._print_line(
                f"the broker holds {_size(used)} of memory and gives none back: it keeps every"
                " event; restart the stack, or set KAFKA_BOOTSTRAP_SERVERS to an Apache Kafka"
            )
            while self._next <= used:
                self._next *= 2


class ResourceMonitor:
    """Runs checks at the start of its context, and from time to time in a thread until its end."""

    def __init__(self, checks: Sequence[Check], interval_s: float = INTERVAL_S) -> None:
        self._checks = checks
        self._interval_s = interval_s
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="resources", daemon=True)

    def __enter__(self) -> Self:
        self.check()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed.set()
        self._thread.join()

    def check(self) -> None:
        """Run all checks; one that fails with an OSError runs again the next time."""
        for check in self._checks:
            with suppress(OSError):
                check()

    def _run(self) -> None:
        while not self._closed.wait(self._interval_s):
            self.check()


def memory_of(pid: int | None) -> int:
    """Return the bytes of resident memory of a process; 0 if it does not run."""
    try:
        return psutil.Process(pid).memory_info().rss if pid else 0
    except psutil.Error:
        return 0


def _size(amount: int) -> str:
    if amount < 1024 * MIB:
        return f"{amount // MIB} MiB"
    return f"{amount / (1024 * MIB):.1f} GiB"
