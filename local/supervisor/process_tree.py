"""A process and its descendants, as the operating system knows them."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress

import psutil


def start_time(pid: int) -> float:
    """Return when a process started, in seconds since the epoch; 0 if it does not exist."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def descendants(pid: int) -> list[int]:
    """Return the ids of the descendants of a process."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def group(leader: int) -> list[psutil.Process]:
    """Return the living members of a leader's group, even if the leader is gone."""
    return [
        process
        for process in psutil.process_iter()
        if _group_of(process.pid) == leader and _is_alive(process)
    ]


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def send(pids: Iterable[int], signum: signal.Signals) -> None:
    """Signal each process that still exists."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signum)


def kill_group(leader: int) -> None:
    """Kill a leader's group."""
    # macOS raises EPERM for a group of zombies.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return 0
