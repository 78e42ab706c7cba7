"""A description of the machine in one line."""

import os
import platform
import re
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")  # of Linux
MODEL = re.compile(r"^model name\s*: (.+)$", re.MULTILINE)


def description() -> str:
    """Return its processor, the Python version, and the load average of the last minute."""
    found = MODEL.search(CPUINFO.read_text()) if CPUINFO.exists() else None
    model = found[1] if found else platform.processor() or platform.machine()
    return (
        f"{os.cpu_count()} × {model}, Python {platform.python_version()},"
        f" load average {os.getloadavg()[0]:.2f}"
    )
