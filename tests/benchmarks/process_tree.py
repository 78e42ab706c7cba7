"""Memory and processor time of a process with its children, such as a server's workers."""

import psutil

from local.supervisor import Process


def resident(process: Process) -> int:
    """Return its resident memory in bytes; 0 if it does not run."""
    return sum(each.memory_info().rss for each in _tree(process))


def cpu_s(process: Process) -> float:
    """Return its processor time in seconds, user and system."""
    return sum(sum(each.cpu_times()[:2]) for each in _tree(process))


def _tree(process: Process) -> list[psutil.Process]:
    if process.pid is None:
        return []
    head = psutil.Process(process.pid)
    return [head, *head.children(recursive=True)]
