"""What a process takes of the machine, with all that it forked: a server with its workers."""

import psutil

from local.supervisor import Process


def resident(process: Process) -> int:
    """The bytes of memory that it holds; none between two runs."""
    return sum(each.memory_info().rss for each in _tree(process))


def cpu_s(process: Process) -> float:
    """The seconds of a processor that it has used, in user and in system mode."""
    return sum(sum(each.cpu_times()[:2]) for each in _tree(process))


def _tree(process: Process) -> list[psutil.Process]:
    if process.pid is None:
        return []
    head = psutil.Process(process.pid)
    return [head, *head.children(recursive=True)]
